// The one script of these pages: browsers hand passkeys to a script only. It fetches what WebAuthn is to be asked, asks, puts
// the answer into the page's form and sends that.
"use strict";
(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form) return;
  const trouble = document.getElementById("passkey-trouble");
  const button = form.querySelector("button[type=submit]");
  const say = (text) => { trouble.textContent = text; trouble.hidden = text === ""; };
  const creating = form.dataset.passkey === "create";
  const reasons = {
    NotAllowedError: "It was cancelled, took too long, or no device here knows your account. Try again.",
    InvalidStateError: "This device is registered already.",
    NotSupportedError: "This device cannot make the kind of passkey that is needed here.",
    SecurityError: "This browser does not allow passkeys at this address.",
  };
  const ask = async () => {
    const answer = await fetch("/signin/passkey/options", { method: "POST" });
    const options = await answer.json();
    if (!answer.ok) throw new Error(options.message);
    const key = creating
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    form.elements.response.value = JSON.stringify(key.toJSON());
    form.submit();
  };
  const run = () => {
    button.disabled = true;
    say("");
    ask().catch((e) => {
      say(reasons[e.name] || e.message);
      button.disabled = false;
      button.focus();
    });
  };
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) {
    button.disabled = true;
    say("This browser is too old for passkeys. Update it, or use another way.");
    return;
  }
  form.addEventListener("submit", (e) => { e.preventDefault(); run(); });
  if (form.dataset.auto) run();
})();

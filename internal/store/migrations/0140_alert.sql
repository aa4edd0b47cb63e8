-- +goose Up

-- What alerts are made of: events that match a pattern, or that many of them.
CREATE TABLE alert_rule (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    description  TEXT NOT NULL,
    severity     TEXT NOT NULL,   -- LOW, MEDIUM, HIGH, CRITICAL
    enabled      BIGINT NOT NULL,
    pattern      TEXT NOT NULL,   -- JSON: EventBridge's event pattern
    min_count    BIGINT NOT NULL, -- so many events within span make an alert
    span         BIGINT NOT NULL, -- microseconds; 0 with a count of 1
    group_by     TEXT NOT NULL,   -- JSON list of field paths: counts apart for each of their values
    distinct_of  TEXT NOT NULL,   -- a field path: different values are counted, not events; empty: events
    dedup_span   BIGINT NOT NULL, -- microseconds: how long what has the same key is added to an alert; 0: never
    dedup_key    TEXT NOT NULL,   -- JSON list of field paths
    targets      TEXT NOT NULL,   -- JSON list of target ids; empty: all
    pack         TEXT NOT NULL,   -- hash of the rule as the program's pack had it last; empty: it is nobody's but people's
    edited       BIGINT NOT NULL, -- 1: a person has changed what the pack says
    before       TEXT NOT NULL,   -- JSON: the rule as it was before it was changed last, for events from before that; empty: there are none
    created_at   BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    updated_at   BIGINT NOT NULL,
    updated_by   TEXT NOT NULL
);
CREATE UNIQUE INDEX alert_rule_name ON alert_rule (name);

-- Where alerts go.
CREATE TABLE alert_target (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    kind         TEXT NOT NULL,   -- WEBHOOK, SLACK, EMAIL, SYSLOG
    place        BYTEA NOT NULL,  -- sealed: a URL or an address; some URLs are secrets
    secret       BYTEA NOT NULL,  -- sealed: what signs, or the authority of a syslog server's certificate; empty: none
    min_severity TEXT NOT NULL,
    gone_at      BIGINT NOT NULL, -- it takes alerts of what was recorded until then; 0: of everything
    stood_for    TEXT NOT NULL,   -- id of the target whose former place this is; empty: none's
    created_at   BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    failures     BIGINT NOT NULL, -- in a row
    resume_at    BIGINT NOT NULL, -- nothing is sent before that
    sent_at      BIGINT NOT NULL, -- of the last that was taken; 0: none
    problem      TEXT NOT NULL    -- of the last try
);
CREATE UNIQUE INDEX alert_target_name ON alert_target (name);

-- While one holds, what it covers is kept and sent nowhere.
CREATE TABLE alert_silence (
    id         TEXT PRIMARY KEY,
    rule_id    TEXT NOT NULL,   -- empty: every rule
    pattern    TEXT NOT NULL,   -- JSON: of the events; empty: all
    until      BIGINT NOT NULL,
    reason     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL
);
CREATE INDEX alert_silence_until ON alert_silence (until, id);

CREATE TABLE alert (
    id         TEXT PRIMARY KEY,
    rule_id    TEXT NOT NULL,
    rule_name  TEXT NOT NULL,   -- as it was
    severity   TEXT NOT NULL,
    at         BIGINT NOT NULL, -- of the event
    made_at    BIGINT NOT NULL, -- when it was found
    event_id   TEXT NOT NULL,   -- the event that made it
    event_ids  TEXT NOT NULL,   -- JSON list: all that were counted
    event      TEXT NOT NULL,   -- JSON: the event as the pattern saw it; empty: too large
    message    TEXT NOT NULL,
    dedup_key  TEXT NOT NULL,
    repeats    BIGINT NOT NULL, -- that were added since
    last_at    BIGINT NOT NULL, -- of the last of them
    last_event TEXT NOT NULL,
    silence_id TEXT NOT NULL,   -- that covered it; empty: none
    test       BIGINT NOT NULL, -- 1: somebody tried the rule
    state      TEXT NOT NULL,   -- OPEN, ACKNOWLEDGED, CLOSED
    acked_at   BIGINT NOT NULL,
    acked_by   TEXT NOT NULL,
    closed_at  BIGINT NOT NULL,
    closed_by  TEXT NOT NULL,
    note       TEXT NOT NULL
);
-- An event makes a rule's alert once, however often it is read.
CREATE UNIQUE INDEX alert_event ON alert (rule_id, event_id);
CREATE INDEX alert_same ON alert (rule_id, dedup_key, at);
CREATE INDEX alert_newest ON alert (made_at, id);
CREATE INDEX alert_state ON alert (state, made_at, id);
CREATE INDEX alert_of_rule ON alert (rule_id, made_at, id);

CREATE TABLE alert_delivery (
    alert_id  TEXT NOT NULL,
    target_id TEXT NOT NULL,
    state     TEXT NOT NULL,   -- WAITING, SENT, GIVEN_UP
    due_at    BIGINT NOT NULL,
    attempts  BIGINT NOT NULL,
    done_at   BIGINT NOT NULL, -- sent or given up; 0: neither
    problem   TEXT NOT NULL,
    PRIMARY KEY (alert_id, target_id)
);
CREATE INDEX alert_delivery_due ON alert_delivery (target_id, state, due_at, alert_id);

-- What a rule with a threshold has counted: of each group, as many of the last events as the threshold needs.
CREATE TABLE alert_count (
    rule_id    TEXT NOT NULL,
    grouped    TEXT NOT NULL,   -- JSON list of the values, or its hash
    counted    TEXT NOT NULL,   -- JSON
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (rule_id, grouped)
);
CREATE INDEX alert_count_expiry ON alert_count (expires_at);

-- From which addresses an operator's key was used: rules ask what is new.
CREATE TABLE alert_seen (
    subject  TEXT NOT NULL,
    value    TEXT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    PRIMARY KEY (subject, value)
);
CREATE INDEX alert_seen_last ON alert_seen (last_at);

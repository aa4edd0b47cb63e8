package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// scimmyProgram is the server of scimmy's routers, with people and groups in memory.
const scimmyProgram = `import {randomUUID} from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import Routers from "scimmy-routers";

function keep(resource, name) {
  const all = new Map(), names = new Map();
  const at = (id) => {
    if (!all.has(id)) throw new SCIMMY.Types.Error(404, null, "no " + id);
    return all.get(id);
  };
  SCIMMY.Resources.declare(resource, {
    egress: ({id}) => id ? at(id) : [...all.values()],
    ingress: ({id}, instance) => {
      const key = instance[name].toLowerCase();
      if ((names.get(key) ?? id) !== id) throw new SCIMMY.Types.Error(409, "uniqueness", name + " is taken");
      const made = id ? at(id).meta.created : new Date();
      const record = {...JSON.parse(JSON.stringify(instance)), id: id ?? randomUUID(), meta: {created: made, lastModified: new Date()}};
      all.set(record.id, record);
      names.set(key, record.id);
      return record;
    },
    degress: ({id}) => { names.delete(at(id)[name].toLowerCase()); all.delete(id); },
  });
}
keep(SCIMMY.Resources.User, "userName");
keep(SCIMMY.Resources.Group, "displayName");
const app = express();
app.use("/scim/v2", new Routers({type: "bearer", handler: () => "bench"}));
app.listen(Number(process.argv[2]), "127.0.0.1");
`

// scimmyPackages are what the program is of.
const scimmyPackages = `{"private": true, "type": "module", "dependencies": {"express": "5.1.0", "scimmy": "1.3.5", "scimmy-routers": "1.3.2"}}`

// scimmy is a folder with the program and its packages; nil: there is no npm.
type scimmy struct{ dir, node string }

func (b bench) scimmy(ctx context.Context) (*scimmy, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, nil // the row says so
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	s := &scimmy{filepath.Join(b.dir, "scimmy"), node}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"package.json": scimmyPackages, "server.js": scimmyProgram} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, npm, "install", "--silent", "--no-audit", "--no-fund")
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("install scimmy: %w: %s", err, bytes.TrimSpace(out))
	}
	return s, nil
}

// round sends a twentieth of the population to a new server.
func (s *scimmy) round(ctx context.Context) (float64, error) {
	server, err := launchAt(ctx, s.node, func(port string) []string { return []string{filepath.Join(s.dir, "server.js"), port} })
	if err != nil {
		return 0, err
	}
	took, err := aTwentieth.send(ctx, scimServer{server.addr, "/scim/v2", "bench"}, func(int) error { return nil })
	if err != nil {
		return 0, fmt.Errorf("scimmy: %w", err)
	}
	return float64(aTwentieth.requests()) / took.Seconds(), server.stop()
}

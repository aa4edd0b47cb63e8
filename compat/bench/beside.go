package main

import (
	"context"
	"fmt"
	"os/exec"
)

// contest is an operation that moto's server has too.
type contest struct {
	what  string
	times float64 // as many per second as moto are wanted
	once  bool    // no request can be sent twice
	most  int     // requests that ours gets in a round; moto gets fewer
	// prepare makes what the operation is about on a server, ours or moto's, and returns what renders n requests.
	prepare func(ctx context.Context, w world, c client) (renderer, error)
}

// renderer renders requests; never the same again, where that matters.
type renderer func(n int) ([][]byte, error)

// motoMost is how many requests moto gets in a round: more than it answers.
const motoMost = 5000

// besideMoto measures operations of a world without limits beside moto's server, where there is one: in memory, and one of its own
// for each of them, so that what one has made does not slow the next.
func (b bench) besideMoto(ctx context.Context, contests ...contest) ([]row, error) {
	if _, _, err := b.emptyWorld(ctx, b.dir, relax); err != nil {
		return nil, err
	}
	server, w, err := b.dev(ctx, b.dir)
	if err != nil {
		return nil, err
	}
	moto, missing := exec.LookPath("moto_server")
	var targets []target
	for _, c := range contests {
		render, err := c.prepare(ctx, w, w.client(server.addr))
		if err != nil {
			return nil, err
		}
		ours := target{name: c.what, addr: server.addr, conns: connections, once: c.once, requests: func() ([][]byte, error) { return render(c.most) }}
		targets = append(targets, ours)
		if missing != nil {
			continue
		}
		peer, err := launchAt(ctx, moto, func(port string) []string { return []string{"-H", "127.0.0.1", "-p", port} })
		if err != nil {
			return nil, err
		}
		defer func() { _ = peer.stop() }() // killed if that fails
		theirRender, err := c.prepare(ctx, w, w.client(peer.addr))
		if err != nil {
			return nil, fmt.Errorf("prepare moto: %w", err)
		}
		theirs := target{
			name: "moto's " + c.what, addr: peer.addr, conns: motoConns, closes: true, once: c.once,
			requests: func() ([][]byte, error) { return theirRender(min(c.most, motoMost)) },
		}
		targets = append(targets, theirs)
	}
	rates, err := b.measure(ctx, targets...)
	if err != nil {
		return nil, err
	}
	return contestRows(contests, rates, missing == nil), server.stop()
}

// contestRows are the rows of contests whose rates come in pairs, ours before moto's, or are all ours.
func contestRows(contests []contest, rates [][]float64, paired bool) []row {
	var rows []row
	for i, c := range contests {
		r := row{what: c.what + " per second", beside: "moto_server is not installed", ratio: "–", target: fmt.Sprint(c.times), met: true}
		ours := i
		if paired {
			ours = 2 * i
			times := ratio(rates[ours], rates[ours+1])
			r.beside, r.ratio, r.met = "moto in memory: "+summarize(rates[ours+1]).String(), times.String(), times.median >= c.times
		}
		r.measured = summarize(rates[ours]).String()
		rows = append(rows, r)
	}
	return rows
}

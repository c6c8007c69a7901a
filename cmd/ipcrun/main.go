package main

import (
	"context"
	"fmt"
	"os"

	"ipcrun/engine"
	"ipcrun/engine/agent"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

func main() {
	agent.Dispatch()
	data, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	l := &diag.List{}
	params := map[string]string{}
	sc := spec.Load(source.New(os.Args[1], data), plan.Vocabulary(), spec.Options{Params: params}, l)
	diag.Write(os.Stderr, l.All(), diag.Style{})
	if sc == nil {
		os.Exit(2)
	}
	e, err := engine.New(engine.Options{})
	if err != nil {
		panic(err)
	}
	res, err := e.Run(context.Background(), sc)
	if err != nil {
		panic(err)
	}
	if len(os.Args) > 2 {
		event.WriteAll(os.Stdout, res.Events)
	}
	fmt.Printf("%+v\n", res.Verdict)
}

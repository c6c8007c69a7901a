package main

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ipcrun/spec"
)

// selection are the options that say which scenarios are meant.
type selection struct {
	filter, skip, tags []string
	shard              string
	allowEmpty         bool

	filters, skips []*regexp.Regexp
	anyOf          [][]string // tag expressions: any of them, all words of it
	part, parts    int        // of the shard, from 1; parts 0: all
}

func (s *selection) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&s.filter, "filter", "f", nil, "only scenarios whose name matches `REGEX` (repeated: any of them)")
	f.StringArrayVar(&s.skip, "skip", nil, "not the scenarios whose name matches `REGEX` (repeatable)")
	f.StringArrayVarP(&s.tags, "tags", "t", nil, "only scenarios with these tags: `EXPR` is words; a comma is and, ! negates, repeated is or")
	f.StringVar(&s.shard, "shard", "", "only part I of N, as `I/N`: every scenario is in exactly one part")
	f.BoolVar(&s.allowEmpty, "allow-empty", false, "it is no error if nothing is selected")
}

// check reads the options.
func (s *selection) check() error {
	var err error
	if s.filters, err = patterns("--filter", s.filter); err != nil {
		return err
	}
	if s.skips, err = patterns("--skip", s.skip); err != nil {
		return err
	}
	for _, expr := range s.tags {
		var words []string
		for _, w := range strings.Split(expr, ",") {
			w = strings.TrimSpace(w)
			if w == "" || w == "!" {
				return usage("--tags %q: between commas there must be a tag", expr)
			}
			words = append(words, w)
		}
		s.anyOf = append(s.anyOf, words)
	}
	if s.shard != "" {
		i, n, ok := strings.Cut(s.shard, "/")
		part, err1 := strconv.Atoi(i)
		parts, err2 := strconv.Atoi(n)
		if !ok || err1 != nil || err2 != nil || part < 1 || parts < part {
			return usage("--shard %s: write I/N with I from 1 to N, as 1/3", s.shard)
		}
		s.part, s.parts = part, parts
	}
	return nil
}

func patterns(flag string, texts []string) ([]*regexp.Regexp, error) {
	var out []*regexp.Regexp
	for _, t := range texts {
		re, err := regexp.Compile(t)
		if err != nil {
			return nil, usage("%s %s: %v", flag, t, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		out = append(out, re)
	}
	return out, nil
}

// choose keeps the scenarios that are meant, in their order.
func (s *selection) choose(all []*spec.Scenario) []*spec.Scenario {
	var out []*spec.Scenario
	for _, sc := range all {
		if s.wants(sc) {
			out = append(out, sc)
		}
	}
	if s.parts == 0 {
		return out
	}
	var mine []*spec.Scenario
	for i, sc := range out {
		if i%s.parts == s.part-1 {
			mine = append(mine, sc)
		}
	}
	return mine
}

func (s *selection) wants(sc *spec.Scenario) bool {
	matches := func(list []*regexp.Regexp) bool {
		return slices.ContainsFunc(list, func(re *regexp.Regexp) bool { return re.MatchString(sc.Name) })
	}
	if len(s.filters) > 0 && !matches(s.filters) || matches(s.skips) {
		return false
	}
	if len(s.anyOf) == 0 {
		return true
	}
	return slices.ContainsFunc(s.anyOf, func(words []string) bool {
		for _, w := range words {
			tag, not := strings.CutPrefix(w, "!")
			if slices.Contains(sc.Tags, tag) == not {
				return false
			}
		}
		return true
	})
}

// empty says why nothing is selected.
func (s *selection) empty(in *inputs) string {
	switch {
	case in.files == 0:
		return "there is no *.yaml or *.yml file here"
	case len(in.scenarios) == 0:
		return "no file is usable"
	}
	return fmt.Sprintf("none of %d scenarios is selected", len(in.scenarios))
}

// order is the order in which scenarios run.
type order struct {
	shuffle string // "", "random" or a seed
	seed    string
}

func (o *order) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.shuffle, "shuffle", "", "run in random order, that of `SEED` if one is given")
	f.Lookup("shuffle").NoOptDefVal = "random"
	f.StringVar(&o.seed, "seed", "", "the seed `N` of the random order; turns --shuffle on")
}

// check decides on the seed: "" if the order is that of the command line.
func (o *order) check() error {
	for flag, v := range map[string]string{"--shuffle": o.shuffle, "--seed": o.seed} {
		if v == "" || flag == "--shuffle" && v == "random" {
			continue
		}
		if _, err := strconv.ParseUint(v, 10, 64); err != nil {
			return usage("%s %s: a seed is a whole number, 0 or more", flag, v)
		}
	}
	switch {
	case o.seed != "" && o.shuffle != "" && o.shuffle != "random" && o.shuffle != o.seed:
		return usage("--shuffle=%s and --seed %s are two different seeds", o.shuffle, o.seed)
	case o.seed == "" && o.shuffle == "random":
		o.seed = strconv.FormatUint(rand.Uint64N(1_000_000), 10)
	case o.seed == "":
		o.seed = o.shuffle
	}
	return nil
}

// arrange puts scenarios into the order of the seed.
func (o *order) arrange(list []*spec.Scenario) {
	if o.seed == "" {
		return
	}
	n, _ := strconv.ParseUint(o.seed, 10, 64) // check has read it
	r := rand.New(rand.NewPCG(n, 0))
	r.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
}

package cond

import (
	"reflect"
	"strings"
	"testing"
)

// problem is a Problem with the text that From and To point at.
type problem struct {
	from, to            int
	text, message, hint string
}

// TestProblems is every message that Compile has, with the place it blames.
func TestProblems(t *testing.T) {
	for _, test := range []struct {
		src  string
		want []problem
	}{
		{"conducter.ended < driver.ended", []problem{{0, 9, "conducter", `unknown name "conducter"`, "did you mean conductor?"}}},
		{"conductor.endd < 1", []problem{{10, 14, "endd", `process conductor has no field "endd"`, "did you mean ended?"}}},
		{"ready.xyz", []problem{{6, 9, "xyz", `event ready has no field "xyz"`, "event ready has: set, waiters"}}},
		{"jobs.size = 2", []problem{{10, 11, "=", "= does not compare", "write == to compare"}}},
		{"jobs.size === 2", []problem{{10, 13, "===", "there is no operator ===", "write =="}}},
		{"jobs.size =! 2", []problem{{10, 11, "=", "= does not compare", "write == to compare"}}},
		{"jobs.size += 2", []problem{{10, 12, "+=", "+= would assign", "a condition only looks; to change a value, use a step"}}},
		{"jobs.full & locked", []problem{{10, 11, "&", "there is no operator &", "write && (or the word and)"}}},
		{"jobs.full | locked", []problem{{10, 11, "|", "a single | only passes a value on to a function, as in xs | len()", "write || (or the word or)"}}},
		{"jobs.full AND locked", []problem{{10, 13, "AND", "there is no operator AND", "write and"}}},
		{"locked == True", []problem{{10, 14, "True", `unknown name "True"`, "write true"}}},
		{"locked is true", []problem{{7, 9, "is", "there is no operator is", "write =="}}},
		{`jobs.size == "3"`, []problem{{0, 16, `jobs.size == "3"`, `cannot compare jobs.size (a whole number) with "3" (text)`, "a number takes no quotes: 3"}}},
		{`jobs.size == "200ms"`, []problem{{0, 20, `jobs.size == "200ms"`, `cannot compare jobs.size (a whole number) with "200ms" (text)`, `write duration("200ms"), which is 0.2 seconds`}}},
		{`conductor.ended < "200ms"`, []problem{{0, 25, `conductor.ended < "200ms"`, `cannot compare conductor.ended (a number of seconds) with "200ms" (text)`, `write duration("200ms"), which is 0.2 seconds`}}},
		{"conductor.ended < 200ms", []problem{{18, 23, "200ms", "a number has no unit in an expression", `write duration("200ms"), which gives seconds`}}},
		{`conductor.ended < duration("abc")`, []problem{{27, 32, `"abc"`, `"abc" is not a duration`, `write a number with a unit, as in "200ms" or "1.5s"`}}},
		{"jobs.size", []problem{{0, 9, "jobs.size", "this must be true or false, but it is a whole number", "compare it with something, as in jobs.size > 0"}}},
		{"jobs", []problem{{0, 4, "jobs", "this must be true or false, but it is a queue", "jobs has: empty, full, size"}}},
		{"who", []problem{{0, 3, "who", "this must be true or false, but it is text", `compare it with something, as in who == "…"`}}},
		{"fork", []problem{{0, 4, "fork", "this must be true or false, but it is a list", "ask for its length, as in len(fork) > 0"}}},
		{"fork[0].holder", []problem{{0, 14, "fork[0].holder", "this must be true or false, but it is text", `compare it with something, as in fork[0].holder == "…"`}}},
		{`fork.holder == ""`, []problem{{0, 11, "fork.holder", `fork is a list and has no field "holder" itself`, "pick one, as in fork[0].holder, or ask them all, as in all(fork, .holder …)"}}},
		{`all(fork, holder == "")`, []problem{{10, 16, "holder", `unknown name "holder"`, "a field of the element is written with a dot: .holder"}}},
		{`any(fork, .holdr == "")`, []problem{{11, 16, "holdr", `a lock has no field "holdr"`, "did you mean holder?"}}},
		{"jobs.size == 2 == 2", []problem{{0, 19, "jobs.size == 2 == 2", "== cannot be chained: it would compare true or false with 2 (a whole number)", "write jobs.size == 2 && 2 == 2"}}},
		{"jobs.size == 1 || 2", []problem{{18, 19, "2", "|| needs true or false on both sides, but 2 is a whole number", "repeat the left side: jobs.size == 1 || jobs.size == 2"}}},
		{"who == ada", []problem{{7, 10, "ada", `unknown name "ada"`, `if it is text, put it in quotes: "ada"`}}},
		{"who == adrian", []problem{{7, 13, "adrian", `unknown name "adrian"`, `if it is text, put it in quotes: "adrian"`}}},
		{`conductor == "x"`, []problem{{0, 16, `conductor == "x"`, `cannot compare conductor (a process) with "x" (text)`, "conductor has: catches, ended, exit_code, lines, output, pid, started, state, vars"}}},
		{`"a" in who`, []problem{{0, 10, `"a" in who`, "in looks into a list or a map, but who is text", `write who contains "a"`}}},
		{"who contains 1", []problem{{13, 14, "1", "contains looks at text, but 1 is a whole number", "turn it into text first: string(1)"}}},
		{`conductor.lines contains "a"`, []problem{{0, 15, "conductor.lines", "contains looks at text, but conductor.lines is a list", `to look for an element, write "a" in conductor.lines`}}},
		{"1 in conductor.lines", []problem{{0, 20, "1 in conductor.lines", "1 (a whole number) is never in conductor.lines, whose elements are text", ""}}},
		{`signals(conductor, "driver") == []`, []problem{{8, 17, "conductor", "signals wants the name of a process in quotes as its argument from", `put it in quotes: "conductor"`}}},
		{"signals() == []", []problem{{0, 9, "signals()", "signals takes 1 or 2 arguments, not 0", "as in signals(from, to) or signals(to)"}}},
		{`sgnals("a") == []`, []problem{{0, 6, "sgnals", `unknown function "sgnals"`, ""}}},
		{`signal("a") == []`, []problem{{0, 6, "signal", `unknown function "signal"`, "did you mean signals?"}}},
		{"now() == 1", []problem{{0, 3, "now", "now is not available in conditions", "a condition must not depend on the clock; compare facts such as started and ended"}}},
		{"reduce(fork, #acc + 1, 0) == 1", []problem{{0, 6, "reduce", "reduce is not available in conditions", "use sum, count, all, any or map"}}},
		{"all(fork, any(fork, all(fork, .locked)))", []problem{{20, 38, "all(fork, .locked)", "all is nested too deeply: at most 2 levels of all(…), any(…), map(…) and their like", "split the condition in two"}}},
		{"jobs.size()", []problem{{0, 11, "jobs.size()", "jobs.size is a fact, not a function", "leave out the parentheses: jobs.size"}}},
		{"jobs.full()", []problem{{0, 11, "jobs.full()", "jobs.full is a fact, not a function", "leave out the parentheses: jobs.full"}}},
		{"conductor.lines.len() > 0", []problem{{0, 21, "conductor.lines.len()", "len is a function and does not follow a dot", "write len(conductor.lines)"}}},
		{"len == 1", []problem{{0, 3, "len", "len is a function", "call it: len(…)"}}},
		{"foo(1) == 2", []problem{{0, 3, "foo", `unknown function "foo"`, ""}}},
		{"locked(1)", []problem{{0, 6, "locked", "locked is not a function", "leave out the parentheses"}}},
		{"(jobs.size == 2", []problem{{0, 1, "(", "this ( is never closed", "add the missing )"}}},
		{"jobs.size == 2)", []problem{{14, 15, ")", "this ) closes nothing", "remove it, or open one before it"}}},
		{"jobs.size ==", []problem{{10, 12, "==", "something is missing after ==", ""}}},
		{"== 2", []problem{{0, 2, "==", "something is missing before ==", ""}}},
		{"jobs.size 2", []problem{{10, 11, "2", "2 cannot follow size directly", "put an operator such as == or && between the two"}}},
		{`who == "abc`, []problem{{7, 11, `"abc`, "this text has no closing quote", ""}}},
		{`who == "a\qb"`, []problem{{10, 11, "q", "this is not a valid escape in text", "write \\\\ for one backslash, or use backquotes: `…`"}}},
		{"（jobs.size == 2）", []problem{{0, 1, "（", "（ is not the ASCII character it looks like", "write ("}}},
		{"jobs.size ＝＝ 2", []problem{{10, 11, "＝", "＝ is not the ASCII character it looks like", "write ="}}},
		{"who == “ada”", []problem{{7, 8, "“", "“ is not the ASCII character it looks like", `write "`}}},
		{"jobs.size // 2 == 1", []problem{{10, 12, "//", "// starts a comment, which is not allowed in an expression", "for a whole division write int(a / b)"}}},
		{"jobs.size == 1; locked", []problem{{0, 22, "jobs.size == 1; locked", "; is not allowed here: only the last part would count", "join them with && or write two conditions"}}},
		{`.holder == ""`, []problem{{0, 1, ".", ". stands for an element and means something only inside all(…), any(…), count(…) and their like", "name the list: all(list, .field == 1), any(list, # > 2)"}}},
		{"# > 1", []problem{{0, 1, "#", "# stands for an element and means something only inside all(…), any(…), count(…) and their like", "name the list: all(list, .field == 1), any(list, # > 2)"}}},
		{"$locked", []problem{{0, 7, "$locked", `unknown name "$locked"`, "names are written without $"}}},
		{"${locked}", []problem{{0, 2, "${", "this is an expression already, without ${…}", "leave out ${ and }"}}},
		{"locked ? 1", []problem{{9, 10, "1", "the : of this ? is missing", "write condition ? this : that"}}},
		{"jobs.size == 99999999999999999999", []problem{{13, 33, "99999999999999999999", "99999999999999999999 is too large for a whole number", "the largest is 9223372036854775807"}}},
		{`who matches "("`, []problem{{12, 15, `"("`, "this is not a valid regular expression: missing closing ): `(`", "write \\\\ for one backslash, or use backquotes: `\\d+`"}}},
		{`who + 1 == ""`, []problem{{0, 7, "who + 1", "cannot add who (text) and 1 (a whole number)", "turn it into text first: string(1)"}}},
		{`1 + who == ""`, []problem{{0, 7, "1 + who", "cannot add 1 (a whole number) and who (text)", "turn it into text first: string(1)"}}},
		{"-who == 1", []problem{{0, 4, "-who", "- needs a number, but who is text", ""}}},
		{"!jobs.size", []problem{{0, 10, "!jobs.size", "! needs true or false, but jobs.size is a whole number", "to negate a whole comparison, put it in parentheses: !(…); for a list, write x not in list"}}},
		{`not who in ["a"]`, []problem{{0, 16, `not who in ["a"]`, "not applies to who alone here, not to the whole", `write who not in ["a"]`}}},
		{"jobs.size % 2.0 == 1", []problem{{12, 15, "2.0", "% needs whole numbers, but 2.0 is a number", "write int(2.0) to cut off the fraction"}}},
		{"1 / 0 == 1", []problem{{0, 5, "1 / 0", "a division by zero has no value", ""}}},
		{"1 % 0 == 1", []problem{{0, 5, "1 % 0", "the remainder of a division by zero has no value", ""}}},
		{`upper(1) == "A"`, []problem{{6, 7, "1", "upper wants text here, but 1 is a whole number", ""}}},
		{`upper("a", "b") == "A"`, []problem{{0, 15, `upper("a", "b")`, "upper takes 1 argument, not 2", ""}}},
		{`who[0] == "a"`, []problem{{0, 6, "who[0]", "who is text, and text has no elements", "cut out a piece, as in who[0:1]"}}},
		{"who.x", []problem{{0, 5, "who.x", `who is text and has no field "x"`, ""}}},
		{`jobs["sze"] == 2`, []problem{{5, 10, `"sze"`, `queue jobs has no field "sze"`, "queue jobs has: empty, full, size"}}},
		{"jobs[0] == 2", []problem{{0, 7, "jobs[0]", "jobs is not a list, so it has no [0]", "jobs has: empty, full, size"}}},
		{"conductor.lines.size == 1", []problem{{0, 20, "conductor.lines.size", `conductor.lines is a list and has no field "size"`, "write len(conductor.lines)"}}},
		{"a b c", []problem{{2, 3, "b", "b cannot follow a directly", "put an operator such as == or && between the two"}}},
		{"jobs. == 1", []problem{{4, 5, ".", "a name must follow the dot", ""}}},
		{"let len = 1; len == 2", []problem{{4, 7, "len", "len is the name of something else already", "choose another name"}}},
		{"xs | len()", []problem{{0, 2, "xs", `unknown name "xs"`, "known here: anything, conductor, driver, fork, index, jobs, locked, ratio, ready, rounds, total, who"}}},
		{"jobs.size <> 2", []problem{{10, 12, "<>", "there is no operator <>", "write !="}}},
		{`$env["x"] == 1`, []problem{{0, 4, "$env", `unknown name "$env"`, "known here: anything, conductor, driver, fork, index, jobs, locked, ratio, ready, rounds, total, who"}}},
		{"twice(3.5) == 6", []problem{{6, 9, "3.5", "twice wants a whole number as its argument n, but 3.5 is a number", ""}}},
		{`twice("a") == 6`, []problem{{6, 9, `"a"`, `twice wants a whole number as its argument n, but "a" is text`, ""}}},
		{"null == anything", []problem{{0, 4, "null", `unknown name "null"`, "write nil"}}},
		{`b"abc" == who`, []problem{{0, 6, `b"abc"`, "there are no byte strings here", "leave out the b before the quotes"}}},
		{`filter(fork, .locked)[0].holdr == ""`, []problem{{25, 30, "holdr", `a lock has no field "holdr"`, "did you mean holder?"}}},
		{"count(fork, .locked) == 2 && foo && bar.x", []problem{{29, 32, "foo", `unknown name "foo"`, "known here: anything, conductor, driver, fork, index, jobs, locked, ratio, ready, rounds, total, who"}, {36, 39, "bar", `unknown name "bar"`, "known here: anything, conductor, driver, fork, index, jobs, locked, ratio, ready, rounds, total, who"}}},
		{" ", []problem{{0, 1, " ", "there is no expression here", "write a condition such as jobs.size == 1"}}},
		{"@x", []problem{{0, 1, "@", "@ has no meaning in an expression", ""}}},
		{"not (jobs.size == 1", []problem{{4, 5, "(", "this ( is never closed", "add the missing )"}}},
		{"[1,2", []problem{{0, 1, "[", "this [ is never closed", "add the missing ]"}}},
		{"all(fork)", []problem{{8, 9, ")", "an argument is missing", "write the list and a condition on its elements, as in all(list, .field == 1)"}}},
		{"all(fork, .locked", []problem{{3, 4, "(", "this ( is never closed", "add the missing )"}}},
		{"who == 'it''s'", []problem{{7, 14, "'it''s'", "a doubled quote ends the text and begins another", `write \' for a quote inside text`}}},
		{"anything ?? 3 == 3", []problem{{14, 16, "==", "?? cannot be mixed with ==", "put one of them in parentheses"}}},
		{"locked && jobs.size", []problem{{10, 19, "jobs.size", "&& needs true or false on both sides, but jobs.size is a whole number", "compare it with something, as in jobs.size > 0"}}},
		{"x == ", []problem{{2, 4, "==", "something is missing after ==", ""}}},
		{"jobs.size => 2", []problem{{10, 11, "=", "= does not compare", "write >= to compare"}}},
		{"{1+1: 2} == {}", []problem{{2, 3, "+", `"+" is not expected here`, ""}}},
		{"a # b", []problem{{2, 3, "#", "# stands for an element and means something only inside all(…), any(…), count(…) and their like", "name the list: all(list, .field == 1), any(list, # > 2)"}}},
		{"locked && (jobs.size == 1 && && who)", []problem{{29, 31, "&&", "&& cannot follow &&", ""}}},
		{"1e999 == ratio", []problem{{0, 5, "1e999", "1e999 is too large for a number", ""}}},
		{`who == "abc" /* x`, []problem{{13, 17, "/* x", "this comment never ends", "remove it"}}},
		{"any(conductor.lines, len(#)) ", []problem{{21, 27, "len(#)", "any asks something true or false of each element, but len(#) is a whole number", "compare it with something, as in len(#) > 0"}}},
		{"count(fork, .holder) == 1", []problem{{12, 19, ".holder", "count asks something true or false of each element, but .holder is text", `compare it with something, as in .holder == "…"`}}},
		{"all(conductor, .x)", []problem{{4, 13, "conductor", "all wants a list here, but conductor is a process", "it works on a list, such as all of what name[n] declares"}}},
		{"all(fork, let y = .holder; y == 1)", []problem{{27, 33, "y == 1", "cannot compare y (text) with 1 (a whole number)", ""}}},
		{`take(fork, "a") == []`, []problem{{11, 14, `"a"`, `take wants a whole number here, but "a" is text`, ""}}},
		{"conductor.vars[1] == 2", []problem{{15, 16, "1", "an entry of a map is picked by text, but 1 is a whole number", ""}}},
		{`fork["a"].locked`, []problem{{0, 9, `fork["a"]`, `fork is a list and has no field "a"`, "an element is picked by its number, as in fork[0]"}}},
		{"fork[ratio].locked", []problem{{5, 10, "ratio", "an element of a list is picked by a whole number, but ratio is a number", ""}}},
		{"jobs.full < locked", []problem{{0, 18, "jobs.full < locked", "cannot compare jobs.full (true or false) with locked (true or false)", ""}}},
		{"jobs.full + 1 == 2", []problem{{0, 13, "jobs.full + 1", "cannot add jobs.full (true or false) and 1 (a whole number)", ""}}},
		{"who - 1 == 1", []problem{{0, 7, "who - 1", "cannot subtract 1 (a whole number) from who (text)", ""}}},
		{`conductor.ended < duration("10000000h")`, []problem{{27, 38, `"10000000h"`, `"10000000h" is too long`, "a duration is at most 876000h, which is 100 years"}}},
		{"duration(5) < 1", []problem{{9, 10, "5", "duration wants text as its argument span, but 5 is a whole number", ""}}},
		{`conductor.lines[0:"a"] == []`, []problem{{18, 21, `"a"`, `a bound of a slice must be a whole number, but "a" is text`, ""}}},
		{"jobs[1:2] == []", []problem{{0, 9, "jobs[1:2]", "only lists and text have slices, but jobs is a queue", ""}}},
		{"locked or who", []problem{{10, 13, "who", "or needs true or false on both sides, but who is text", `compare it with something, as in who == "…"`}}},
		{"1 ? true : false", []problem{{0, 1, "1", "the condition before ? must be true or false, but 1 is a whole number", "compare it with something, as in 1 > 0"}}},
		{"{(1): 2} == {}", []problem{{2, 3, "1", "a key of a map must be text, but 1 is a whole number", ""}}},
		{`fork == "p1"`, []problem{{0, 12, `fork == "p1"`, `cannot compare fork (a list) with "p1" (text)`, ""}}},
		{"fork < 2", []problem{{0, 8, "fork < 2", "cannot compare fork (a list) with 2 (a whole number)", "to compare its length, write len(fork)"}}},
		{"jobs.size in 3", []problem{{0, 14, "jobs.size in 3", "in looks into a list or a map, but 3 is a whole number", ""}}},
		{"1 in conductor.vars", []problem{{0, 19, "1 in conductor.vars", "the keys of conductor.vars are text, but 1 is a whole number", ""}}},
		{"anything.foo.bar == jobs.fulll", []problem{{25, 30, "fulll", `queue jobs has no field "fulll"`, "did you mean full?"}}},
		{"map(fork, #idx) == []", []problem{{10, 14, "#idx", "there is no #idx", "write # for the element itself or .field for one of its fields"}}},
		{`toJSON(jobs) == ""`, []problem{{0, 6, "toJSON", "toJSON is not available in conditions", "compare the value itself"}}},
		{"let jobs = 1; jobs == 2", []problem{{4, 8, "jobs", "jobs is the name of something else already", "choose another name"}}},
		{"x is not y", []problem{{2, 4, "is", "there is no operator is", "write !="}}},
		{"jobs.size ! = 2", []problem{{10, 11, "!", `"!" is not expected here`, ""}}},
		{"jobs.size : 2", []problem{{10, 11, ":", `":" is not expected here`, ""}}},
		{"jobs.size == 2,", []problem{{14, 15, ",", `"," is not expected here`, ""}}},
		{"filter(fork, .locked; true)", []problem{{20, 21, ";", "; is not allowed here", "join them with && or write two conditions"}}},
		{"all(fork,)", []problem{{9, 10, ")", `")" is not expected here`, ""}}},
		{`driver.catches contains "SIGUSR1"`, []problem{{0, 14, "driver.catches", "contains looks at text, but driver.catches is a list", `to look for an element, write "SIGUSR1" in driver.catches`}}},
		{`"SIGUSR1" in driver.catches && "SIGINT" in conductor.catchs`, []problem{{53, 59, "catchs", `process conductor has no field "catchs"`, "did you mean catches?"}}},
		{`who == 'a' + 'b' and locked == "true"`, []problem{{21, 37, `locked == "true"`, `cannot compare locked (true or false) with "true" (text)`, "true takes no quotes"}}},
		{"5x == 1", []problem{{0, 2, "5x", "5x is not a number", "a name cannot start with a digit; text goes in quotes"}}},
		{"老 == 1", []problem{{0, 1, "老", `unknown name "老"`, "known here: anything, conductor, driver, fork, index, jobs, locked, ratio, ready, rounds, total, who"}}},
		{"(1)(2) == 1", []problem{{3, 4, "(", `"(" is not expected here`, ""}}},
		{"conductor.foo() == 1", []problem{{10, 13, "foo", `process conductor has no field "foo"`, "process conductor has: catches, ended, exit_code, lines, output, pid, started, state, vars"}}},
		{"who == null", []problem{{7, 11, "null", `unknown name "null"`, "write nil"}}},
		{"None != who", []problem{{0, 4, "None", `unknown name "None"`, "write nil"}}},
		{"len(jobs) == 0", []problem{{4, 8, "jobs", "len wants text, a list or a map here, but jobs is a queue", "jobs has: empty, full, size"}}},
		{"len(fork[0]) == 0", []problem{{4, 11, "fork[0]", "len wants text, a list or a map here, but fork[0] is a lock", "fork[0] has: holder, locked"}}},
		{"conductor.lines == [27]", []problem{{0, 23, "conductor.lines == [27]",
			"cannot compare conductor.lines, whose elements are text, with [27], whose elements are whole numbers", `text takes quotes, and numbers take none: ["1"] is not [1]`}}},
		{"fork == [27]", []problem{{0, 12, "fork == [27]", "cannot compare fork, whose elements are maps, with [27], whose elements are whole numbers", ""}}},
		{"sum([conductor], .lines) == 3", []problem{{17, 23, ".lines", "sum adds up numbers, but .lines is a list", "to add up lengths, write len(.lines)"}}},
		{"sum(fork, .locked) == 3", []problem{{10, 17, ".locked", "sum adds up numbers, but .locked is true or false", ""}}},
		{"jobs.size in (0, 1)", []problem{{15, 16, ",", `"," is not expected here`, "a list stands in brackets, as in [0, 1]"}}},
		{"who in ((len(who)), 1)", []problem{{18, 19, ",", `"," is not expected here`, "a list stands in brackets, as in [0, 1]"}}},
		{`who.contains("a")`, []problem{{0, 17, `who.contains("a")`, `who has no function "contains"`, `write who contains "a"`}}},
		{`conductor.lines.contains("a")`, []problem{{0, 29, `conductor.lines.contains("a")`, `conductor.lines has no function "contains"`, `write "a" in conductor.lines`}}},
		{`who.startswith("a")`, []problem{{0, 19, `who.startswith("a")`, `who has no function "startswith"`, `write who startsWith "a"`}}},
		{`who.endswith("a")`, []problem{{0, 17, `who.endswith("a")`, `who has no function "endswith"`, `write who endsWith "a"`}}},
		{`who.match("a")`, []problem{{0, 14, `who.match("a")`, `who has no function "match"`, `write who matches "a"`}}},
		{`who.strip() == "a"`, []problem{{0, 11, "who.strip()", `who has no function "strip"`, "write trim(who)"}}},
		{"who.length() == 1", []problem{{0, 12, "who.length()", `who has no function "length"`, "write len(who)"}}},
		{"who ^ 2 == 1", []problem{{0, 7, "who ^ 2", "^ needs numbers, not who (text) and 2 (a whole number)", ""}}},
	} {
		e, ps := Compile(test.src, course(), WantBool)
		var got []problem
		for _, p := range ps {
			got = append(got, problem{p.From, p.To, point(test.src, p), p.Message, p.Hint})
		}
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s\n got %+v\nwant %+v", test.src, got, test.want)
		}
		if e != nil {
			t.Errorf("%s: an Expr came with the problems", test.src)
		}
	}
}

func TestProblemsOfSize(t *testing.T) {
	for _, test := range []struct{ src, message string }{
		{"", "there is no expression here"},
		{strings.Repeat("(", maxBytes+1), "an expression may have at most 8192 bytes"},
		{strings.Repeat("(", maxBytes), "this ( is never closed"},
		{strings.Repeat("1 + ", 300) + "1 == 1", "this expression is too long: it has more than 500 parts"},
	} {
		_, ps := Compile(test.src, nil, WantAny)
		if len(ps) != 1 || ps[0].Message != test.message {
			t.Errorf("%.20s…: %+v, want %s", test.src, ps, test.message)
		}
	}
}

func TestWant(t *testing.T) {
	for _, test := range []struct {
		src     string
		want    Want
		message string // "": accepted
	}{
		{"jobs.size", WantInt, ""},
		{"jobs.size", WantNumber, ""},
		{"ratio", WantNumber, ""},
		{"ratio", WantInt, "this must be a whole number, but it is a number"},
		{"jobs.size / 2", WantInt, "this must be a whole number, but it is a number"},
		{"who", WantString, ""},
		{"rounds", WantString, "this must be text, but it is a whole number"},
		{"fork", WantNumber, "this must be a number, but it is a list"},
		{"anything", WantBool, ""},
		{"fork", WantAny, ""},
		{"nil", WantBool, "this must be true or false, but it is nil"},
	} {
		_, ps := Compile(test.src, course(), test.want)
		got := ""
		for _, p := range ps {
			got += p.Message
		}
		if got != test.message {
			t.Errorf("%s: %q, want %q", test.src, got, test.message)
		}
	}
}

// TestWhy shows that the scope's own explanation goes before a suggestion.
func TestWhy(t *testing.T) {
	sc := course()
	sc.Why = func(path string) string {
		if path == "driver.endd" || path == "jobz" || path == "signal" {
			return "ask for " + path + " in the top-level steps"
		}
		return ""
	}
	for src, hint := range map[string]string{
		"driver.endd > 1":    "ask for driver.endd in the top-level steps",
		"jobz == 1":          "ask for jobz in the top-level steps",
		`signal("x") == 1`:   "ask for signal in the top-level steps",
		"conductor.endd > 1": "did you mean ended?",
	} {
		_, ps := Compile(src, sc, WantBool)
		if len(ps) != 1 || ps[0].Hint != hint {
			t.Errorf("%s: %+v, want the hint %q", src, ps, hint)
		}
	}
}

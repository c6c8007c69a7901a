package script

import "fmt"

// lent is a variable that has the script's value while an order is carried out, and
// what it was before.
type lent struct {
	place int
	was   any
	isSet bool
}

// giveBack takes the script's variables away at the end of an order.
func (m *Machine) giveBack() {
	for _, l := range m.lent {
		m.vars[l.place], m.isSet[l.place] = l.was, l.isSet
	}
	m.lent = m.lent[:0]
}

// Obey has the machine wait for orders: a handler that ends before the first
// one leads back here, not to the end of a script without steps.
func (m *Machine) Obey() { m.pc = m.rest }

// Order makes an ordered step run next, with variables of the script that
// gives the order, which are gone again afterwards unless the process has assigned
// them. It is over when Next returns nil and OrderDone is true.
func (m *Machine) Order(n int, vars map[string]any) error {
	if n < 0 || n >= len(m.orders) {
		return fmt.Errorf("program: no order %d", n)
	}
	for k, v := range vars {
		if s, ok := m.varIndex[k]; ok {
			m.lent = append(m.lent, lent{s, m.vars[s], m.isSet[s]})
			m.vars[s], m.isSet[s] = v, true
		}
	}
	m.pc, m.orderEnd, m.lastOut = m.orders[n], false, nil
	return nil
}

// OrderDone reports whether the ordered step has come to its end, with the
// result of its last action.
func (m *Machine) OrderDone() (any, bool) { return m.lastOut, m.orderEnd }

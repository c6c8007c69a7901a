//go:build linux

#include "textflag.h"

#define SYS_write 64

// SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: bit n for signal n.
#define FAULTS $0x9b0
#define SIGURG $23
#define SI_TKILL $-6

// Where the kernel keeps the mask that it restores: uc_sigmask of ucontext.
#define SIGMASK 40

// Called by the kernel, on the signal stack, with all signals blocked:
// R0 signal, R1 *siginfo, R2 *ucontext, R30 the way back. Whatever register
// it changes comes back from the ucontext.
TEXT ·catchHandler(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVW	8(R1), R5 // si_code
	CMPW	SIGURG, R0
	BEQ	urgent
	MOVD	FAULTS, R4
	LSR	R0, R4, R4
	TBZ	$0, R4, record
	CMPW	$0, R5 // positive means raised by the kernel
	BLE	record
	JMP	runtime

urgent:
	CMPW	SI_TKILL, R5
	BNE	record

runtime:
	MOVD	$·catchRuntime(SB), R3
	MOVD	(R3)(R0<<3), R4
	CBZ	R4, record
	JMP	(R4) // the runtime's handler, called as if there were no other

record:
	// Is it one that a thread which has taken it blocks from now on?
	MOVD	$·catchBlocked(SB), R3
	MOVD	(R3), R4
	SUB	$1, R0, R6
	LSR	R6, R4, R4
	TBZ	$0, R4, write
	MOVD	$1, R7
	LSL	R6, R7, R7
	MOVD	SIGMASK(R2), R4
	ORR	R7, R4, R4
	MOVD	R4, SIGMASK(R2)
	// That was all that blockInThreads wanted of it.
	CMPW	SI_TKILL, R5
	BNE	write
	MOVD	$·catchSelf(SB), R3
	MOVW	(R3), R4
	MOVW	16(R1), R6 // si_pid
	CMPW	R4, R6
	BNE	write
	RET

write:
	MOVD	$·catchFds(SB), R3
	MOVW	(R3)(R0<<2), R0
	MOVD	$128, R2
	MOVD	$SYS_write, R8
	SVC
	RET

DATA ·catchHandlerAddr(SB)/8, $·catchHandler(SB)
GLOBL ·catchHandlerAddr(SB), RODATA, $8

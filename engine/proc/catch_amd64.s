//go:build linux

#include "textflag.h"

#define SYS_write        1
#define SYS_rt_sigreturn 15

// SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: bit n for signal n.
#define FAULTS $0x9b0
#define SIGURG $23
#define SI_TKILL $-6

// Called by the kernel, on the signal stack, with all signals blocked:
// DI signal, SI *siginfo, DX *ucontext. Whatever register it changes comes
// back from the ucontext.
TEXT ·catchHandler(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVL	8(SI), R10 // si_code
	CMPL	DI, SIGURG
	JEQ	urgent
	MOVQ	FAULTS, R9
	BTQ	DI, R9
	JCC	record
	CMPL	R10, $0 // positive means raised by the kernel
	JLE	record
	JMP	runtime

urgent:
	CMPL	R10, SI_TKILL
	JNE	record

runtime:
	LEAQ	·catchRuntime(SB), R8
	MOVQ	(R8)(DI*8), AX
	TESTQ	AX, AX
	JEQ	record
	JMP	AX // the runtime's handler, called as if there were no other

record:
	LEAQ	·catchFds(SB), R8
	MOVLQSX	(R8)(DI*4), DI
	MOVL	$128, DX
	MOVL	$SYS_write, AX
	SYSCALL
	RET // to catchRestorer

TEXT ·catchRestorer(SB),NOSPLIT|NOFRAME|TOPFRAME,$0
	MOVQ	$SYS_rt_sigreturn, AX
	SYSCALL
	INT	$3 // not reached

DATA ·catchHandlerAddr(SB)/8, $·catchHandler(SB)
GLOBL ·catchHandlerAddr(SB), RODATA, $8

DATA ·catchRestorerAddr(SB)/8, $·catchRestorer(SB)
GLOBL ·catchRestorerAddr(SB), RODATA, $8

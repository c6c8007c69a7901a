// Stops, and executes something else once it is traced: late PATH ARGV...
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
	raise(SIGSTOP);
	for (int traced = 0; !traced;) {
		char line[256];
		FILE *f = fopen("/proc/self/status", "r");
		if (!f) return 1;
		while (fgets(line, sizeof line, f))
			if (!strncmp(line, "TracerPid:", 10)) traced = strcmp(line, "TracerPid:\t0\n") != 0;
		fclose(f);
	}
	execv(argv[1], argv + 2);
	return argc > 2 ? 2 : 3;
}

// Two processes send a byte to and fro through two pipes, as often as the argument
// says. The output is the time of one round trip in nanoseconds.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
	int n = argc > 1 ? atoi(argv[1]) : 1, to[2], fro[2];
	char c = 'x';
	if (pipe(to) || pipe(fro)) return 1;
	pid_t pid = fork();
	if (pid == 0) {
		close(to[1]);
		close(fro[0]);
		while (read(to[0], &c, 1) == 1)
			if (write(fro[1], &c, 1) != 1) return 2;
		return 3;
	}
	close(to[0]);
	close(fro[1]);
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < n; i++)
		if (write(to[1], &c, 1) != 1 || read(fro[0], &c, 1) != 1) return 4;
	clock_gettime(CLOCK_MONOTONIC, &b);
	close(to[1]);
	int status;
	if (waitpid(pid, &status, 0) != pid) return 5;
	printf("%.0f\n", ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / n);
	return 0;
}

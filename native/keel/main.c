/* keel: `serve`, `apply`, `browse`, `init`, `hold` and `version`. */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "apply.h"
#include "browse.h"
#include "compat.h"
#include "context.h"
#include "init.h"
#include "self.h"
#include "serve.h"

/* The socket to the client. */
#define SOCKET_FD 3

static void say(const char *text)
{
	ssize_t written = write(STDERR_FILENO, text, strlen(text));
	(void)written;
}

static int usage(void)
{
	say("Usage: keel serve [COUNT] | keel apply | keel browse | keel init -- COMMAND [ARGUMENT ...] | keel hold | keel version\n"
	    "serve, apply and browse speak to their client on descriptor 3.\n"
	    "serve can give COUNT descriptors, from 4 on, to the program of a container.\n");
	return 2;
}

/* A descriptor opened later must not become stdin, stdout or stderr of anything. */
static void fill_stdio(void)
{
	for (int fd = 0; fd < 3; fd++)
		while (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_NOCTTY) < 0)
			_exit(1);
}

/* How many descriptors are to be preserved. */
static bool read_count(const char *text)
{
	uint64_t count;
	if (!text_read_number(&text, &count) || *text != 0 || count > MAX_PRESERVED)
		return false;
	preserved_descriptors = (unsigned int)count;
	return true;
}

static int run(const char *mode, char **argv, char **envp)
{
	if (fcntl(SOCKET_FD, F_SETFD, 0) < 0) {
		say("keel: descriptor 3 is not open\n");
		return 2;
	}
	for (unsigned int i = 0; i < preserved_descriptors; i++)
		if (fcntl(SELF_FD + (int)i, F_GETFD) < 0) {
			say("keel: a descriptor to preserve is not open\n");
			return 2;
		}
	if (run_sealed(argv, envp) < 0) {
		say("keel: cannot run from a sealed copy of itself\n");
		return 1;
	}
	/* The new program's memory can be read by others until here; it has nothing but the program yet. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	prctl(PR_SET_NAME, "keel", 0, 0, 0);
	fcntl(SOCKET_FD, F_SETFD, FD_CLOEXEC);
	if (strcmp(mode, "serve") == 0)
		return serve_main(SOCKET_FD);
	return strcmp(mode, "apply") == 0 ? apply_main(SOCKET_FD) : browse_main(SOCKET_FD);
}

int main(int argc, char **argv, char **envp)
{
	if (argc < 2)
		return usage();
	const char *mode = argv[1];
	if (strcmp(mode, "init") == 0)
		return argc > 3 && strcmp(argv[2], "--") == 0 ? init_main(argv + 3, envp) : usage();
	if (strcmp(mode, "hold") == 0 && argc == 2)
		hold_main();
	if (strcmp(mode, "version") == 0) {
		TEXT(line, 32);
		text_add_number(&line, WIRE_VERSION);
		text_add(&line, "\n");
		return write(STDOUT_FILENO, line.data, line.used) == (ssize_t)line.used ? 0 : 1;
	}
	bool serve = strcmp(mode, "serve") == 0;
	if ((!serve && strcmp(mode, "apply") != 0 && strcmp(mode, "browse") != 0) || argc > (serve ? 3 : 2) || (argc == 3 && !read_count(argv[2])))
		return usage();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	fill_stdio();
	/* Sanitizers and buffers have nothing to do at the end. */
	_exit(run(mode, argv, envp));
}

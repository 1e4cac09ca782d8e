#include "self.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "compat.h"
#include "context.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

unsigned int preserved_descriptors;

static int copy_sealed(int source)
{
	struct stat s;
	if (fstat(source, &s) < 0)
		return -1;
	/* MFD_EXEC says it plainly where sysctl vm.memfd_noexec asks for that; older kernels do not know it. */
	int fd = memfd_create("keel", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("keel", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	for (off_t left = s.st_size; left > 0;) {
		ssize_t n = sendfile(fd, source, NULL, (size_t)left);
		if (n <= 0) {
			if (n == 0)
				errno = EIO;
			close_scope(&fd);
			return -1;
		}
		left -= n;
	}
	/* With F_SEAL_EXEC its mode cannot change either, where the kernel has that. */
	if (fchmod(fd, 0555) < 0 ||
	    (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_EXEC) < 0 && fcntl(fd, F_ADD_SEALS, SEALS) < 0)) {
		close_scope(&fd);
		return -1;
	}
	return fd;
}

/* Makes room for SELF_FD: each goes up by one, the last first. */
static int place(int self)
{
	scoped_fd above = fcntl(self, F_DUPFD_CLOEXEC, PRESERVED_FD + (int)preserved_descriptors);
	if (above < 0)
		return -1;
	/* It may be where the last one goes. */
	close(self);
	for (unsigned int i = preserved_descriptors; i-- > 0;)
		if (dup3(SELF_FD + (int)i, PRESERVED_FD + (int)i, O_CLOEXEC) < 0)
			return -1;
	return dup3(above, SELF_FD, O_CLOEXEC) < 0 ? -1 : 0;
}

int run_sealed(char *const argv[], char *const envp[])
{
	close_range(SELF_FD + preserved_descriptors, ~0U, 0);
	scoped_fd self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (self < 0)
		return -1;
	int seals = fcntl(self, F_GET_SEALS);
	if (seals >= 0 && (seals & SEALS) == SEALS) {
		const int found = self;
		self = -1;
		return found == SELF_FD ? 0 : place(found);
	}
	scoped_fd copy = copy_sealed(self);
	if (copy < 0)
		return -1;
	syscall(SYS_execveat, copy, "", argv, envp, AT_EMPTY_PATH);
	return -1;
}

#include "self.h"

#include <errno.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/mman.h>
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

/* Pages that the kernel maps together when one of them is touched. */
#define CLUSTER ((uintptr_t)8 << 10)

/*
 * Most of the code and the constants were of use only for coming so far. They lie in pages of the executable, which are
 * mapped again when they are touched. The kernel then maps up to 64 KiB around the one that was touched, but never beyond
 * a mapping: so every other cluster gets a flag that means nothing here, which makes mappings of them.
 */
void release_code(void)
{
	const ElfW(Phdr) *headers = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	size_t count = getauxval(AT_PHNUM);
	uintptr_t bias = 0;
	for (size_t i = 0; i < count; i++) {
		if (headers[i].p_type == PT_PHDR)
			bias = (uintptr_t)headers - headers[i].p_vaddr;
	}
	for (size_t i = 0; i < count; i++) {
		if (headers[i].p_type != PT_LOAD || (headers[i].p_flags & PF_W) != 0)
			continue;
		/* Segments that are never written to, so that nothing is lost. They begin and end in pages of their own. */
		uintptr_t start = (bias + headers[i].p_vaddr) & ~(uintptr_t)4095;
		uintptr_t end = bias + headers[i].p_vaddr + headers[i].p_memsz;
		for (uintptr_t at = start; at < end; at += 2 * CLUSTER)
			madvise((void *)at, at + CLUSTER < end ? CLUSTER : end - at, MADV_DONTDUMP);
		madvise((void *)start, end - start, MADV_DONTNEED);
	}
}

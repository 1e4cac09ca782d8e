/* Labels of security modules (AppArmor, SELinux). */
#include <errno.h>
#include <sys/xattr.h>

#include "compat.h"
#include "context.h"

/*
 * Writes below a directory of this thread in procfs. No link is followed and no mount crossed: what an image has put
 * there must not take the write (CVE-2019-16884, CVE-2019-19921). So thread-self, a link, is read and checked.
 */
static int write_attribute(int proc, const char *module, const char *attribute, const char *value)
{
	char self[64];
	ssize_t size = readlinkat(proc, "thread-self", self, sizeof(self) - 1);
	if (size < 0)
		return -1;
	self[size] = 0;
	if (strspn(self, "0123456789/task") != (size_t)size || self[0] == '/') {
		errno = EXDEV;
		return -1;
	}
	TEXT(path, 256);
	text_add(&path, self);
	text_add(&path, "/attr/");
	if (module[0] != 0) {
		text_add(&path, module);
		text_add(&path, "/");
	}
	text_add(&path, attribute);
	const struct open_how how = {
		.flags = O_WRONLY | O_CLOEXEC | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	scoped_fd fd = (int)syscall(SYS_openat2, proc, path.data, &how, sizeof(how));
	if (fd < 0)
		return -1;
	if (filesystem_type(fd) != MAGIC_PROC) {
		errno = EXDEV;
		return -1;
	}
	size_t length = strlen(value);
	return write(fd, value, length) == (ssize_t)length ? 0 : -1;
}

int op_security_attribute(struct context *c, const struct op_security_attribute *op)
{
	if (strchr(op->module, '/') != NULL || strchr(op->attribute, '/') != NULL)
		return fail_with(c, EINVAL, "write", op->attribute);
	scoped_fd proc = open_proc();
	if (proc < 0)
		return fail(c, "open", "/proc");
	int result = write_attribute(proc, op->module, op->attribute, op->value);
	if (result < 0 && errno == ENOENT && op->module[0] != 0)
		result = write_attribute(proc, "", op->attribute, op->value);
	return result < 0 ? fail(c, "write", op->value) : 0;
}

int op_directory_xattr(struct context *c, const struct op_directory_xattr *op)
{
	scoped_fd fd = root_open(c, op->path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return fail(c, "openat2", op->path);
	if (fsetxattr(fd, op->name, op->value, strlen(op->value), 0) < 0)
		return fail(c, "fsetxattr", op->path);
	return 0;
}

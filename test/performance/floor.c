/*
 * The floor of the benchmark: the kernel calls of one full-featured container, with nothing around them. No container
 * engine can be faster than this on the same kernel; what it takes longer is its own.
 *
 *   floor once LOWER WORK PARENT COMMAND...            one container, to be measured as a command
 *   floor loop N GAP LOWER WORK PARENT COMMAND...      N of them, GAP ms apart; prints the times in ms as JSON
 *
 * LOWER is the image's root directory, WORK an empty directory on a filesystem that overlayfs takes as upper, PARENT
 * the name of a cgroup that is made in each hierarchy. Nothing but PARENT is left behind. Needs root.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TRY(call) ((call) < 0 ? die(#call) : (void)0)

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(125);
}

static const char *format(char *out, size_t size, const char *pattern, ...)
{
	va_list args;
	va_start(args, pattern);
	int length = vsnprintf(out, size, pattern, args);
	va_end(args);
	if (length < 0 || (size_t)length >= size) {
		errno = ENAMETOOLONG;
		die(pattern);
	}
	return out;
}
#define TEXT(...) format((char[4096]){0}, 4096, __VA_ARGS__)

/* ---- cgroups ------------------------------------------------------------------------------------------------- */

struct hierarchy {
	char mount[256];   /* mount point */
	char options[128]; /* v1: controllers, or name=…; empty on v2 */
	char path[512];	   /* this container's directory */
	int tasks;	   /* v1: its open tasks file */
};

static struct hierarchy hierarchies[32];
static size_t hierarchy_count;
static int unified; /* v2 only, no v1 hierarchy */
static unsigned serial;

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t written = write(fd, text, strlen(text));
	close(fd);
	return written < 0 ? -1 : 0;
}

/* Mounts may lie on top of each other. */
static int known(const char *mount)
{
	for (size_t i = 0; i < hierarchy_count; i++)
		if (!strcmp(hierarchies[i].mount, mount))
			return 1;
	return 0;
}

static void find_hierarchies(void)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	if (!file)
		die("/proc/self/mountinfo");
	char line[4096];
	struct hierarchy v2 = {.mount = ""};
	while (fgets(line, sizeof(line), file)) {
		char mount[256], type[64], super[256];
		char *after = strstr(line, " - ");
		if (!after || sscanf(line, "%*s %*s %*s %*s %255s", mount) != 1 ||
		    sscanf(after, " - %63s %*s %255s", type, super) != 2)
			continue;
		if (!strcmp(type, "cgroup2"))
			format(v2.mount, sizeof(v2.mount), "%s", mount);
		if (strcmp(type, "cgroup") || hierarchy_count == COUNT(hierarchies) || known(mount))
			continue;
		struct hierarchy *found = &hierarchies[hierarchy_count++];
		format(found->mount, sizeof(found->mount), "%s", mount);
		const char *options = strstr(super, "rw,") == super ? super + 3 : super;
		format(found->options, sizeof(found->options), "%s", options);
	}
	fclose(file);
	if (hierarchy_count == 0 && v2.mount[0]) {
		hierarchies[hierarchy_count++] = v2;
		unified = 1;
	}
}

/* A new cpuset is empty, and takes no process until it has processors and memory nodes. */
static void fill_cpuset(const char *directory)
{
	for (size_t i = 0; i < 2; i++) {
		const char *name = i ? "cpuset.mems" : "cpuset.cpus";
		char value[256];
		int fd = open(TEXT("%s/../%s", directory, name), O_RDONLY | O_CLOEXEC);
		ssize_t length = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);
		if (length < 0)
			die(name);
		close(fd);
		value[length] = 0;
		TRY(put(TEXT("%s/%s", directory, name), value));
	}
}

static int has(const struct hierarchy *hierarchy, const char *controller)
{
	const char *at = strstr(hierarchy->options, controller);
	size_t length = strlen(controller);
	return at && (at == hierarchy->options || at[-1] == ',') && (!at[length] || at[length] == ',');
}

static void make_parents(const char *parent)
{
	for (size_t i = 0; i < hierarchy_count; i++) {
		const char *directory = TEXT("%s/%s", hierarchies[i].mount, parent);
		if (unified)
			(void)put(TEXT("%s/cgroup.subtree_control", hierarchies[i].mount), "+cpu +memory +pids");
		if (mkdir(directory, 0755) < 0 && errno != EEXIST)
			die(directory);
		if (unified)
			TRY(put(TEXT("%s/cgroup.subtree_control", directory), "+cpu +memory +pids"));
		if (has(&hierarchies[i], "cpuset"))
			fill_cpuset(directory);
	}
}

static const char *const device_rules[] = {
    "c *:* m",	 "b *:* m",   "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",   "c 1:8 rwm",
    "c 1:9 rwm", "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm",
};

static void limit_v1(struct hierarchy *h)
{
	if (has(h, "memory")) {
		TRY(put(TEXT("%s/memory.limit_in_bytes", h->path), "268435456"));
		(void)put(TEXT("%s/memory.memsw.limit_in_bytes", h->path), "536870912");
	}
	if (has(h, "pids"))
		TRY(put(TEXT("%s/pids.max", h->path), "512"));
	if (has(h, "cpu")) {
		TRY(put(TEXT("%s/cpu.cfs_period_us", h->path), "100000"));
		TRY(put(TEXT("%s/cpu.cfs_quota_us", h->path), "200000"));
		TRY(put(TEXT("%s/cpu.shares", h->path), "512"));
	}
	if (has(h, "cpuset"))
		fill_cpuset(h->path);
	if (has(h, "devices")) {
		TRY(put(TEXT("%s/devices.deny", h->path), "a"));
		for (size_t i = 0; i < COUNT(device_rules); i++)
			TRY(put(TEXT("%s/devices.allow", h->path), device_rules[i]));
	}
	h->tasks = open(TEXT("%s/tasks", h->path), O_WRONLY | O_CLOEXEC);
	TRY(h->tasks);
}

/* An eBPF program as long as that of the rules above, which lets everything pass. */
static void device_filter(const char *path)
{
	struct bpf_insn code[48];
	for (size_t i = 0; i < COUNT(code); i++)
		code[i] = (struct bpf_insn){.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1};
	code[COUNT(code) - 1] = (struct bpf_insn){.code = BPF_JMP | BPF_EXIT};
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
			       .insns = (uintptr_t)code,
			       .insn_cnt = COUNT(code),
			       .license = (uintptr_t) "Apache"};
	int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	int cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	union bpf_attr attach = {.attach_type = BPF_CGROUP_DEVICE};
	attach.target_fd = (uint32_t)cgroup;
	attach.attach_bpf_fd = (uint32_t)program;
	TRY(program);
	TRY(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)));
	close(program);
	close(cgroup);
}

static void limit_v2(const struct hierarchy *h)
{
	TRY(put(TEXT("%s/memory.max", h->path), "268435456"));
	(void)put(TEXT("%s/memory.swap.max", h->path), "268435456");
	TRY(put(TEXT("%s/pids.max", h->path), "512"));
	TRY(put(TEXT("%s/cpu.max", h->path), "200000 100000"));
	TRY(put(TEXT("%s/cpu.weight", h->path), "50"));
	device_filter(h->path);
}

static void make_cgroups(const char *parent)
{
	for (size_t i = 0; i < hierarchy_count; i++) {
		struct hierarchy *h = &hierarchies[i];
		format(h->path, sizeof(h->path), "%s/%s/floor-%d-%u", h->mount, parent, getpid(), serial);
		TRY(mkdir(h->path, 0755));
		if (unified)
			limit_v2(h);
		else
			limit_v1(h);
	}
}

static void remove_cgroups(void)
{
	for (size_t i = 0; i < hierarchy_count; i++) {
		if (!unified)
			close(hierarchies[i].tasks);
		/* The kernel may still count the dead process. */
		for (int attempt = 0; rmdir(hierarchies[i].path) < 0; attempt++) {
			if (errno != EBUSY || attempt == 2000)
				die(hierarchies[i].path);
			nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
		}
	}
}

/* ---- the container's side ------------------------------------------------------------------------------------- */

struct parameter {
	const char *key, *value; /* no value: a flag */
};

static int new_mount(const char *type, const struct parameter *parameters, size_t count, unsigned attributes)
{
	int fs = fsopen(type, FSOPEN_CLOEXEC);
	TRY(fs);
	for (size_t i = 0; i < count; i++)
		if (fsconfig(fs, parameters[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, parameters[i].key,
			     parameters[i].value, 0) < 0)
			die(parameters[i].key);
	TRY(fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	int mount = fsmount(fs, FSMOUNT_CLOEXEC, attributes);
	TRY(mount);
	close(fs);
	return mount;
}

static void attach(int mount, const char *target)
{
	int at = open(target, O_PATH | O_CLOEXEC);
	if (at < 0)
		die(target);
	TRY(move_mount(mount, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
	close(at);
	close(mount);
}

#define MOUNT(type, target, attributes, ...)                                                                           \
	attach(new_mount(type, (const struct parameter[]){__VA_ARGS__},                                                \
			 sizeof((const struct parameter[]){__VA_ARGS__}) / sizeof(struct parameter), attributes),      \
	       target)

enum { SAFE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

static void mount_dev(void)
{
	static const struct {
		const char *path;
		unsigned major, minor;
	} devices[] = {
	    {"dev/null", 1, 3},	  {"dev/zero", 1, 5},	 {"dev/full", 1, 7},
	    {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
	};
	static const char *const links[][2] = {
	    {"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
	    {"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"},	 {"/proc/kcore", "dev/core"},
	};
	MOUNT("tmpfs", "dev", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME, {"mode", "755"}, {"size", "65536k"});
	mode_t mask = umask(0);
	for (size_t i = 0; i < COUNT(devices); i++)
		TRY(mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)));
	umask(mask);
	for (size_t i = 0; i < COUNT(links); i++)
		TRY(symlink(links[i][0], links[i][1]));
	TRY(mkdir("dev/pts", 0755));
	TRY(mkdir("dev/shm", 0755));
	TRY(mkdir("dev/mqueue", 0755));
	MOUNT("devpts", "dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, {"newinstance", NULL}, {"ptmxmode", "0666"},
	      {"mode", "0620"}, {"gid", "5"});
	MOUNT("tmpfs", "dev/shm", SAFE, {"mode", "1777"}, {"size", "65536k"});
	MOUNT("mqueue", "dev/mqueue", SAFE, {"source", "mqueue"});
}

static void mount_cgroups(void)
{
	if (unified) {
		MOUNT("cgroup2", "sys/fs/cgroup", SAFE | MOUNT_ATTR_RDONLY, {"source", "cgroup"});
		return;
	}
	MOUNT("tmpfs", "sys/fs/cgroup", SAFE, {"mode", "755"});
	for (size_t i = 0; i < hierarchy_count; i++) {
		const struct hierarchy *h = &hierarchies[i];
		const char *name = strrchr(h->mount, '/') + 1;
		struct parameter parameters[8];
		size_t count = 0;
		char options[sizeof(h->options)];
		format(options, sizeof(options), "%s", h->options);
		for (char *save, *word = strtok_r(options, ",", &save); word && count < COUNT(parameters) - 1;
		     word = strtok_r(NULL, ",", &save)) {
			int named = !strncmp(word, "name=", 5);
			if (named)
				parameters[count++] = (struct parameter){"none", NULL};
			parameters[count++] =
			    named ? (struct parameter){"name", word + 5} : (struct parameter){word, NULL};
		}
		TRY(mkdir(TEXT("sys/fs/cgroup/%s", name), 0755));
		attach(new_mount("cgroup", parameters, count, SAFE | MOUNT_ATTR_RDONLY),
		       TEXT("sys/fs/cgroup/%s", name));
	}
	struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
	TRY(mount_setattr(AT_FDCWD, "sys/fs/cgroup", 0, &readonly, sizeof(readonly)));
}

static void hide(void)
{
	static const char *const masked[] = {
	    "proc/acpi",	"proc/asound",	      "proc/interrupts", "proc/kcore",
	    "proc/keys",	"proc/latency_stats", "proc/timer_list", "proc/timer_stats",
	    "proc/sched_debug", "proc/scsi",	      "sys/firmware",	 "sys/devices/virtual/powercap",
	};
	static const char *const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
	struct mount_attr set = {.attr_set = MOUNT_ATTR_RDONLY};
	for (size_t i = 0; i < COUNT(masked); i++) {
		struct stat status;
		if (stat(masked[i], &status) < 0)
			continue;
		int mount = S_ISDIR(status.st_mode)
				? new_mount("tmpfs", NULL, 0, MOUNT_ATTR_RDONLY)
				: open_tree(AT_FDCWD, "dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
		TRY(mount);
		attach(mount, masked[i]);
	}
	for (size_t i = 0; i < COUNT(readonly); i++) {
		int mount = open_tree(AT_FDCWD, readonly[i], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
		if (mount < 0 && errno == ENOENT)
			continue;
		TRY(mount);
		TRY(mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &set, sizeof(set)));
		attach(mount, readonly[i]);
	}
}

/* As long as a real allow list, and like it constant for each system call. */
static void filter(void)
{
	struct sock_filter code[300];
	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 1; i < COUNT(code) - 1; i++)
		code[i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x20000000 + (unsigned)i, 0, 0);
	code[COUNT(code) - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {COUNT(code), code};
	TRY(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
}

static void drop_privileges(void)
{
	static const unsigned kept[] = {CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,	     CAP_FOWNER,
					CAP_MKNOD,   CAP_NET_RAW,      CAP_SETGID,	     CAP_SETUID,
					CAP_SETFCAP, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
					CAP_KILL,    CAP_AUDIT_WRITE};
	uint64_t set = 0;
	for (size_t i = 0; i < COUNT(kept); i++)
		set |= UINT64_C(1) << kept[i];
	for (unsigned capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
		if (!(set >> capability & 1))
			TRY(prctl(PR_CAPBSET_DROP, capability));
	TRY(prctl(PR_SET_KEEPCAPS, 1));
	TRY(setgroups(0, NULL));
	TRY(setresgid(0, 0, 0));
	TRY(setresuid(0, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	for (int i = 0; i < 2; i++) {
		uint32_t half = (uint32_t)(set >> 32 * i);
		data[i] = (struct __user_cap_data_struct){half, half, 0};
	}
	TRY(syscall(SYS_capset, &header, data));
}

static void loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	TRY(fd);
	TRY(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

static _Noreturn void container(const char *lower, const char *work, char **command)
{
	if (!unified)
		for (size_t i = 0; i < hierarchy_count; i++)
			TRY(write(hierarchies[i].tasks, "0", 1));
	TRY(unshare(CLONE_NEWCGROUP));
	TRY(prctl(PR_SET_PDEATHSIG, SIGKILL));
	TRY(setsid());
	(void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "floor");
	TRY(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));

	MOUNT("overlay", TEXT("%s/merged", work), 0, {"lowerdir", lower}, {"upperdir", TEXT("%s/upper", work)},
	      {"workdir", TEXT("%s/work", work)});
	TRY(chdir(TEXT("%s/merged", work)));
	MOUNT("proc", "proc", SAFE, {"source", "proc"});
	mount_dev();
	MOUNT("sysfs", "sys", SAFE | MOUNT_ATTR_RDONLY, {"source", "sysfs"});
	mount_cgroups();
	hide();
	loopback();
	TRY(sethostname("floor", 5));
	TRY(syscall(SYS_pivot_root, ".", "."));
	TRY(umount2(".", MNT_DETACH));
	TRY(chdir("/"));
	TRY(setrlimit(RLIMIT_NOFILE, &(struct rlimit){1024, 4096}));
	filter();
	drop_privileges();
	TRY(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC));
	execve(command[0], command, (char *[]){"PATH=/bin", NULL});
	die(command[0]);
}

/* ---- the host's side ------------------------------------------------------------------------------------------ */

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status, (void)type, (void)ftw;
	return remove(path);
}

static void run(const char *lower, const char *root, const char *parent, char **command)
{
	char work[2048];
	serial++;
	make_cgroups(parent);
	format(work, sizeof(work), "%s/floor-%d-%u", root, getpid(), serial);
	TRY(mkdir(work, 0700));
	TRY(mkdir(TEXT("%s/upper", work), 0755));
	TRY(mkdir(TEXT("%s/work", work), 0700));
	TRY(mkdir(TEXT("%s/merged", work), 0755));

	struct clone_args args = {
	    .flags = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
	    .exit_signal = SIGCHLD,
	};
	if (unified) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)open(hierarchies[0].path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	TRY(child);
	if (child == 0)
		container(lower, work, command);
	if (unified)
		close((int)args.cgroup);
	int status;
	TRY(waitpid(child, &status, 0));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "floor: the command ended with status 0x%x\n", status);
		exit(125);
	}
	remove_cgroups();
	TRY(nftw(work, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT));
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int looping = argc > 1 && !strcmp(argv[1], "loop");
	int first = looping ? 4 : 2;
	if (argc < first + 4 || (!looping && strcmp(argv[1], "once"))) {
		fprintf(
		    stderr,
		    "usage: floor once LOWER WORK PARENT COMMAND... | floor loop N GAP LOWER WORK PARENT COMMAND...\n");
		return 2;
	}
	const char *lower = argv[first], *work = argv[first + 1], *parent = argv[first + 2];
	find_hierarchies();
	make_parents(parent);
	if (!looping) {
		run(lower, work, parent, argv + first + 3);
		return 0;
	}
	long count = strtol(argv[2], NULL, 10), gap = strtol(argv[3], NULL, 10);
	if (count < 1 || count > 100000 || gap < 0 || gap > 60000) {
		fprintf(stderr, "floor: N is 1 to 100000, GAP 0 to 60000\n");
		return 2;
	}
	double *samples = calloc((size_t)count, sizeof(*samples)), *sorted = calloc((size_t)count, sizeof(*sorted));
	if (!samples || !sorted)
		die("calloc");
	for (long i = 0; i < count; i++) {
		if (gap)
			nanosleep(&(struct timespec){gap / 1000, gap % 1000 * 1000000}, NULL);
		double start = now();
		run(lower, work, parent, argv + first + 3);
		sorted[i] = samples[i] = now() - start;
	}
	qsort(sorted, (size_t)count, sizeof(*sorted), ascending);
	printf("{\"median\":%.3f,\"samples\":[", sorted[count / 2]);
	for (long i = 0; i < count; i++)
		printf("%s%.3f", i ? "," : "", samples[i]);
	printf("]}\n");
	free(samples);
	free(sorted);
	return 0;
}

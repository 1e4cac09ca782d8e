#include "journal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "loop.h"
#include "session.h"
#include "state_file.h"

/* v1 notifies before it has killed and counted: the counter is looked at again so often, with so many milliseconds between. */
#define LOOKS 20
#define PAUSE_MS 25

static struct source notice = { .fd = -1 };
static uint64_t told;
static unsigned int looks;
static int64_t next_look;

static bool wanted(const struct msg_create *create, const struct wire_record *record)
{
	return create->journal[0] != 0 && record->before[0] != 0;
}

static void append(const char *path, const struct wire_record *record, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd < 0)
		return;
	const char *const parts[] = { record->before, text, record->after };
	struct iovec pieces[3];
	for (int i = 0; i < 3; i++)
		pieces[i] = (struct iovec){ .iov_base = (void *)(uintptr_t)parts[i], .iov_len = strlen(parts[i]) };
	/* On a full disk half a record may be there: readers skip what they can't read. */
	if (writev(fd, pieces, 3) < 0) {
		close(fd);
		return;
	}
	close(fd);
}

void journal_start(const struct msg_create *create)
{
	if (!wanted(create, &create->start_record))
		return;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	char text[64];
	snprintf(text, sizeof(text), "%lld %09ld", (long long)now.tv_sec, now.tv_nsec);
	append(create->journal, &create->start_record, text);
}

void journal_exit(const struct msg_create *create, const char *text)
{
	if (wanted(create, &create->exit_record))
		append(create->journal, &create->exit_record, text);
}

static void look(const struct msg_create *create)
{
	if (!wanted(create, &create->oom_record))
		return;
	uint64_t count = oom_kills(create->oom_file);
	if (count <= told)
		return;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	char text[80];
	snprintf(text, sizeof(text), "%llu %lld %09ld", (unsigned long long)(count - told), (long long)now.tv_sec, now.tv_nsec);
	append(create->journal, &create->oom_record, text);
	told = count;
	looks = 0;
}

static void noticed(struct source *source, uint32_t events)
{
	(void)events;
	char text[512];
	/* How often, and of what: the counter tells. */
	while (read(source->fd, text, sizeof(text)) > 0)
		;
	looks = LOOKS;
	next_look = now_ms();
}

/* cgroups(7), v1: the event's descriptor and that of the file it is about, written to cgroup.event_control. */
static int watch_v1(const char *file)
{
	char path[512];
	char text[32];
	size_t directory = (size_t)(strrchr(file, '/') - file);
	if (directory + sizeof("/cgroup.event_control") > sizeof(path))
		return -1;
	memcpy(path, file, directory);
	memcpy(path + directory, "/cgroup.event_control", sizeof("/cgroup.event_control"));
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int counter = open(file, O_RDONLY | O_CLOEXEC);
	int control = open(path, O_WRONLY | O_CLOEXEC);
	int size = snprintf(text, sizeof(text), "%d %d", event, counter);
	bool good = event >= 0 && counter >= 0 && control >= 0 && write(control, text, (size_t)size) == size;
	/* The kernel holds what it needs of it. */
	if (counter >= 0)
		close(counter);
	if (control >= 0)
		close(control);
	if (!good && event >= 0) {
		close(event);
		return -1;
	}
	return event;
}

static int watch_v2(const char *file)
{
	int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (events >= 0 && inotify_add_watch(events, file, IN_MODIFY) < 0) {
		close(events);
		return -1;
	}
	return events;
}

void journal_watch(const struct msg_create *create)
{
	const char *file = create->oom_file;
	if (file[0] == 0 || !wanted(create, &create->oom_record) || notice.fd >= 0)
		return;
	const char *name = strrchr(file, '/');
	bool v1 = name != NULL && strcmp(name, "/memory.oom_control") == 0;
	notice = (struct source){ .fd = v1 ? watch_v1(file) : watch_v2(file), .ready = noticed };
	if (notice.fd >= 0 && loop_want(&notice, EPOLLIN) < 0)
		loop_close(&notice);
	/* What was killed before the watch began. */
	look(create);
}

void journal_unwatch(const struct msg_create *create)
{
	look(create);
	loop_close(&notice);
	looks = 0;
}

int journal_timeout(void)
{
	if (looks == 0)
		return -1;
	int64_t left = next_look - now_ms();
	return left > 0 ? (int)left : 0;
}

void journal_progress(const struct msg_create *create)
{
	if (looks == 0 || now_ms() < next_look)
		return;
	looks--;
	next_look = now_ms() + PAUSE_MS;
	look(create);
}

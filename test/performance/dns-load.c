/*
 * dns-load SERVER NAME MILLISECONDS WINDOW: asks a name server for the address of NAME with WINDOW questions on their way at
 * a time, from as many sockets, and prints answers, microseconds, and percentiles of the time to an answer in microseconds.
 * A question without an answer for a second is lost and asked anew.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WINDOW_MAX = 256, SAMPLES_MAX = 4 << 20 };

static uint32_t samples[SAMPLES_MAX];

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static size_t question(uint8_t *out, const char *name)
{
	static const uint8_t head[12] = {0, 0, 1, 0, 0, 1};
	memcpy(out, head, sizeof head);
	size_t at = sizeof head;
	while (*name) {
		size_t length = strcspn(name, ".");
		out[at++] = (uint8_t)length;
		memcpy(out + at, name, length);
		at += length;
		name += length;
		if (*name == '.')
			name++;
	}
	static const uint8_t tail[5] = {0, 0, 1, 0, 1};
	memcpy(out + at, tail, sizeof tail);
	return at + sizeof tail;
}

int main(int argc, char **argv)
{
	if (argc != 5)
		return 2;
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(53)};
	int window = atoi(argv[4]);
	uint8_t ask[512], answer[512];
	if (inet_pton(AF_INET, argv[1], &server.sin_addr) != 1 || window < 1 || window > WINDOW_MAX || strlen(argv[2]) > 250)
		return 2;
	size_t size = question(ask, argv[2]);
	struct pollfd sockets[WINDOW_MAX];
	int64_t sent[WINDOW_MAX];
	uint16_t ids[WINDOW_MAX];
	uint16_t next = 0;
	size_t count = 0, lost = 0;
	int64_t start = now_us(), end = start + atoll(argv[3]) * 1000;
	for (int i = 0; i < window; i++) {
		sockets[i] = (struct pollfd){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), .events = POLLIN};
		if (sockets[i].fd < 0 || connect(sockets[i].fd, (struct sockaddr *)&server, sizeof server) < 0)
			return 1;
		sent[i] = 0;
	}
	for (int64_t now = start; now < end; now = now_us()) {
		for (int i = 0; i < window; i++) {
			if (sent[i] != 0 && now - sent[i] < 1000000)
				continue;
			if (sent[i] != 0)
				lost++;
			ids[i] = next++;
			ask[0] = (uint8_t)(ids[i] >> 8);
			ask[1] = (uint8_t)ids[i];
			sent[i] = now_us();
			if (send(sockets[i].fd, ask, size, 0) < 0)
				return 1;
		}
		if (poll(sockets, (nfds_t)window, 10) <= 0)
			continue;
		for (int i = 0; i < window; i++) {
			if (!(sockets[i].revents & POLLIN))
				continue;
			ssize_t got = recv(sockets[i].fd, answer, sizeof answer, 0);
			if (got < 12 || ((answer[0] << 8) | answer[1]) != ids[i] || (answer[3] & 15) != 0 || answer[7] == 0)
				continue;
			if (count < SAMPLES_MAX)
				samples[count++] = (uint32_t)(now_us() - sent[i]);
			sent[i] = 0;
		}
	}
	int64_t took = now_us() - start;
	qsort(samples, count, sizeof samples[0], by_value);
	printf("{\"answers\":%zu,\"lost\":%zu,\"microseconds\":%lld,\"p50\":%u,\"p99\":%u}\n", count, lost, (long long)took,
	       count ? samples[count / 2] : 0, count ? samples[count * 99 / 100] : 0);
	return 0;
}

/* Sizes of what `keel browse` sends. */
#ifndef KEEL_BROWSE_LIMITS_H
#define KEEL_BROWSE_LIMITS_H

/* Content in one frame. */
#define BROWSE_DATA (256u << 10)
/* Parts of one file that are told apart; what is behind them is sent as one, holes too. */
#define BROWSE_SEGMENTS 65536u
/* The kernel's limits (linux/limits.h): a list of names, and one value. */
#define BROWSE_NAMES 65536u
#define BROWSE_VALUE 65536u
/* Attributes of one file. A frame must have room for them, and every ordinary filesystem has for less. */
#define BROWSE_XATTRS 1024u
#define BROWSE_VALUES (4u << 20)

#endif

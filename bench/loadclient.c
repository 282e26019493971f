/* Load client: opens live views over WebSocket as browsers would, reads them, counts.
 *
 *   loadclient --port P --path /… --count N --seconds S [options]; see usage() below.
 *
 * One epoll loop, no threads.  Prints "open" when every viewer is there, "measuring" and "measured" round the
 * window, then one line of JSON.  Latency: the live protocol says in "utc_zero" when a stream's time began and in each
 * fragment's tfdt how long after that its picture is; cameras with sender reports make that the time when the camera
 * sent it, on the same clock as ours.  Loss: fragments are numbered (mfhd).
 *
 * Bounded: at most 4096 viewers and 600 seconds.  Certificates are not verified: this is for loopback.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_ROOM = 4096, KEPT = 1024, READ_SIZE = 1 << 18, EVENTS = 256 };
enum { MOST_VIEWERS = 4096, MOST_SECONDS = 600 };
enum { OP_CONTINUES = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { AT_SEQUENCE = 20, AT_DECODE_TIME = 60, FRAGMENT_HEAD = 72 }; /* appliance/_native/fmp4 */
enum state { IDLE, CONNECTING, SHAKING, ASKED, OPEN, GONE };

struct viewer {
    int fd;
    SSL *tls;
    enum state state;
    double began, stats_at;
    double first_ms;                /* from connect to the first whole fragment; < 0: none yet */
    char head[HEAD_ROOM];           /* of the answer to the handshake */
    size_t head_size;
    unsigned char frame_head[14];
    size_t frame_head_size;
    int in_body, opcode, final, message_opcode;
    uint64_t left;                  /* of the frame at hand */
    unsigned char kept[KEPT + 1];   /* the beginning of the message at hand */
    size_t kept_size;
    uint64_t message_size;
    int64_t utc_zero;               /* ticks; < 0: not told */
    int64_t sequence;               /* of the last fragment; < 0: none yet */
    uint64_t messages, bytes, fragments, lost, window_messages;
    double last_at, longest_gap_s;
    int close_code;
};

static struct {
    const char *path, *header, *hello, *tell;
    int port, count, tls, sources, first, churn;
    double seconds, warm, rate;
} option = {.path = "/", .header = "", .hello = NULL, .tell = NULL, .port = 0, .count = 1, .tls = 0, .sources = 1,
            .first = 0, .churn = 0, .seconds = 5, .warm = 1, .rate = 200};

static struct viewer *viewers;
static SSL_CTX *context;
static int poller;
static int measuring;
static float *latencies; /* ms */
static size_t latency_count, latency_room;
static uint64_t handshakes, handshakes_failed;

static double now_s(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec * 1e-9;
}

static double utc_ticks(void) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    return at.tv_sec * 90000.0 + at.tv_nsec * 9e-5;
}

static uint32_t get32(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static void note_latency(double ms) {
    if (latency_count == latency_room) {
        latency_room = latency_room ? latency_room * 2 : 1 << 16;
        latencies = realloc(latencies, latency_room * sizeof *latencies);
        if (!latencies) abort();
    }
    latencies[latency_count++] = (float)ms;
}

static void leave(struct viewer *v) {
    if (v->fd >= 0) {
        epoll_ctl(poller, EPOLL_CTL_DEL, v->fd, NULL);
        if (v->tls) {
            SSL_free(v->tls);
            v->tls = NULL;
        }
        close(v->fd);
        v->fd = -1;
    }
    v->state = GONE;
}

static void watch(struct viewer *v, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = v};
    epoll_ctl(poller, EPOLL_CTL_MOD, v->fd, &event);
}

/* Small messages into an empty socket: what does not fit at once is a dead connection. */
static void say(struct viewer *v, const void *data, size_t size) {
    int sent = v->tls ? SSL_write(v->tls, data, (int)size) : (int)send(v->fd, data, size, MSG_NOSIGNAL);
    if (sent != (int)size) leave(v);
}

static void send_message(struct viewer *v, int opcode, const void *data, size_t size) {
    unsigned char frame[8 + KEPT];
    size_t head = size < 126 ? 2 : 4;
    if (size > KEPT) return;
    frame[0] = 0x80 | opcode;
    frame[1] = 0x80 | (size < 126 ? size : 126);
    if (head == 4) {
        frame[2] = size >> 8;
        frame[3] = size & 255;
    }
    memset(frame + head, 0, 4); /* a masking key of zeros masks nothing */
    memcpy(frame + head + 4, data, size);
    say(v, frame, head + 4 + size);
}

static void take_fragment(struct viewer *v, double now) {
    uint32_t sequence = get32(v->kept + AT_SEQUENCE);
    int64_t decode_time = (int64_t)get32(v->kept + AT_DECODE_TIME) << 32 | get32(v->kept + AT_DECODE_TIME + 4);
    v->fragments++;
    if (v->first_ms < 0) v->first_ms = (now - v->began) * 1e3;
    if (v->sequence >= 0 && sequence > v->sequence) v->lost += sequence - v->sequence - 1;
    v->sequence = sequence;
    if (measuring && v->utc_zero >= 0) note_latency((utc_ticks() - (double)(v->utc_zero + decode_time)) / 90.0);
}

static void take_message(struct viewer *v, double now) {
    v->kept[v->kept_size] = 0;
    if (v->message_opcode == OP_TEXT) {
        const char *zero = strstr((char *)v->kept, "\"utc_zero\":");
        if (zero) {
            v->utc_zero = strtoll(zero + 11, NULL, 10);
            v->sequence = -1;
        }
        return;
    }
    v->messages++;
    if (measuring) {
        v->window_messages++;
        if (v->last_at > 0 && now - v->last_at > v->longest_gap_s) v->longest_gap_s = now - v->last_at;
    }
    v->last_at = now;
    if (v->kept_size >= FRAGMENT_HEAD && !memcmp(v->kept + 4, "moof", 4)) take_fragment(v, now);
}

static void take_frame_end(struct viewer *v, double now) {
    if (v->opcode == OP_PING) {
        send_message(v, OP_PONG, v->kept, v->kept_size);
    } else if (v->opcode == OP_CLOSE) {
        v->close_code = v->kept_size >= 2 ? v->kept[0] << 8 | v->kept[1] : 1005;
        leave(v);
    } else if (v->final) {
        take_message(v, now);
    }
    v->in_body = 0;
    v->frame_head_size = 0;
}

static void take_frames(struct viewer *v, const unsigned char *data, size_t size, double now) {
    while (size && v->state == OPEN) {
        if (!v->in_body) {
            size_t need;
            v->frame_head[v->frame_head_size++] = *data++;
            size--;
            if (v->frame_head_size < 2) continue;
            int length = v->frame_head[1] & 127;
            need = length == 126 ? 4 : length == 127 ? 10 : 2;
            if (v->frame_head_size < need) continue;
            v->left = length;
            if (length >= 126) {
                v->left = 0;
                for (size_t n = 2; n < need; n++) v->left = v->left << 8 | v->frame_head[n];
            }
            v->final = v->frame_head[0] >> 7;
            v->opcode = v->frame_head[0] & 15;
            v->in_body = 1;
            if (v->opcode != OP_CONTINUES) v->kept_size = 0;
            if (v->opcode == OP_TEXT || v->opcode == OP_BINARY) v->message_opcode = v->opcode;
        }
        size_t part = size < v->left ? size : (size_t)v->left;
        size_t keep = part < KEPT - v->kept_size ? part : KEPT - v->kept_size;
        memcpy(v->kept + v->kept_size, data, keep);
        v->kept_size += keep;
        v->left -= part;
        v->bytes += part;
        data += part;
        size -= part;
        if (v->left == 0) take_frame_end(v, now);
    }
}

/* The answer to the handshake; then frames. */
static void take_bytes(struct viewer *v, unsigned char *data, size_t size, double now) {
    if (v->state == ASKED) {
        size_t room = HEAD_ROOM - 1 - v->head_size, part = size < room ? size : room;
        memcpy(v->head + v->head_size, data, part);
        v->head_size += part;
        v->head[v->head_size] = 0;
        char *end = strstr(v->head, "\r\n\r\n");
        if (!end) {
            if (v->head_size == HEAD_ROOM - 1) leave(v);
            return;
        }
        if (strncmp(v->head + 8, " 101", 4)) {
            fprintf(stderr, "refused: %.80s\n", v->head);
            leave(v);
            return;
        }
        size_t used = (size_t)(end + 4 - v->head) - (v->head_size - part);
        v->state = OPEN;
        if (option.hello) send_message(v, OP_TEXT, option.hello, strlen(option.hello));
        data += used;
        size -= used;
    }
    if (v->state == OPEN) take_frames(v, data, size, now);
}

static void ask(struct viewer *v) {
    char request[2048];
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s\r\n",
                        option.path, option.port, option.header, *option.header ? "\r\n" : "");
    v->state = ASKED;
    watch(v, EPOLLIN);
    say(v, request, (size_t)size);
}

static void shake(struct viewer *v, double now) {
    int result = SSL_connect(v->tls);
    if (result == 1) {
        if (option.churn) {
            handshakes++;
            note_latency((now - v->began) * 1e3);
            SSL_shutdown(v->tls);
            leave(v);
        } else {
            ask(v);
        }
        return;
    }
    switch (SSL_get_error(v->tls, result)) {
        case SSL_ERROR_WANT_READ: watch(v, EPOLLIN); break;
        case SSL_ERROR_WANT_WRITE: watch(v, EPOLLOUT); break;
        default: handshakes_failed++; leave(v);
    }
}

static void begin(struct viewer *v, int number, double now) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(option.port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    int one = 1;
    memset(v, 0, sizeof *v);
    v->began = now;
    v->first_ms = -1;
    v->utc_zero = v->sequence = -1;
    v->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (v->fd < 0) {
        perror("socket");
        exit(1);
    }
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number % option.sources);
    setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(v->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    bind(v->fd, (struct sockaddr *)&from, sizeof from);
    struct epoll_event event = {.events = EPOLLOUT, .data.ptr = v};
    epoll_ctl(poller, EPOLL_CTL_ADD, v->fd, &event);
    v->state = CONNECTING;
    if (connect(v->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) leave(v);
}

static void connected(struct viewer *v, double now) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(v->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        leave(v);
    } else if (option.tls) {
        v->tls = SSL_new(context);
        SSL_set_fd(v->tls, v->fd);
        v->state = SHAKING;
        shake(v, now);
    } else {
        ask(v);
    }
}

static void readable(struct viewer *v, double now) {
    static unsigned char buffer[READ_SIZE];
    while (v->state == ASKED || v->state == OPEN) {
        int size = v->tls ? SSL_read(v->tls, buffer, sizeof buffer) : (int)recv(v->fd, buffer, sizeof buffer, 0);
        if (size <= 0) {
            int again = v->tls ? SSL_get_error(v->tls, size) == SSL_ERROR_WANT_READ : size < 0 && errno == EAGAIN;
            ERR_clear_error();
            if (!again) leave(v);
            return;
        }
        take_bytes(v, buffer, (size_t)size, now);
        if (!v->tls && size < (int)sizeof buffer) return;
    }
}

static void tell(double now) {
    for (int n = 0; n < option.count; n++) {
        struct viewer *v = viewers + n;
        if (v->state == OPEN && v->stats_at == 0) v->stats_at = now + (n % 100) / 100.0; /* not all at once */
        if (v->state == OPEN && now >= v->stats_at) {
            v->stats_at += 1;
            send_message(v, OP_TEXT, option.tell, strlen(option.tell));
        }
    }
}

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static void print_percentiles(const char *name, float *values, size_t count) {
    qsort(values, count, sizeof *values, by_value);
    printf(",\"%s\":{\"count\":%zu", name, count);
    if (count) {
        printf(",\"p50\":%.2f,\"p95\":%.2f,\"p99\":%.2f,\"max\":%.2f", values[count / 2], values[count * 95 / 100],
               values[count * 99 / 100], values[count - 1]);
    }
    printf("}");
}

static void report(double seconds, uint64_t bytes_before, double cpu_before) {
    uint64_t messages = 0, bytes = 0, lost = 0, least = UINT64_MAX, most = 0;
    int open = 0, closed = 0, close_code = 0;
    double gap = 0;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
    for (int n = 0; n < option.count; n++) {
        struct viewer *v = viewers + n;
        messages += v->window_messages;
        bytes += v->bytes;
        lost += v->lost;
        open += v->state == OPEN;
        closed += v->state == GONE;
        if (v->close_code) close_code = v->close_code;
        if (v->window_messages < least) least = v->window_messages;
        if (v->window_messages > most) most = v->window_messages;
        if (v->longest_gap_s > gap) gap = v->longest_gap_s;
    }
    printf("{\"viewers\":%d,\"open\":%d,\"closed\":%d,\"close_code\":%d,\"seconds\":%.3f,\"messages\":%lu,"
           "\"bytes\":%lu,\"lost\":%lu,\"least\":%lu,\"most\":%lu,\"longest_gap_s\":%.3f,\"client_cpu_s\":%.3f,"
           "\"handshakes\":%lu,\"handshakes_failed\":%lu,\"first_ms\":[",
           option.count, open, closed, close_code, seconds, messages, bytes - bytes_before, lost, least, most, gap,
           cpu - cpu_before, handshakes, handshakes_failed);
    for (int n = 0, some = 0; n < option.count; n++) {
        if (viewers[n].first_ms >= 0) printf("%s%.2f", some++ ? "," : "", viewers[n].first_ms);
    }
    printf("]");
    print_percentiles("latency_ms", latencies, latency_count);
    printf("}\n");
}

static void usage(const char *name) {
    fprintf(stderr,
            "usage: %s --port P [--path PATH] [--count N] [--seconds S] [--warm S] [--tls] [--rate N] [--sources N]\n"
            "  [--header LINE] [--hello TEXT] [--tell TEXT] [--first] [--churn]\n"
            "  --rate     connections begun a second\n"
            "  --sources  addresses 127.0.0.1 … that they come from\n"
            "  --hello    the first message; --tell: one that is sent once a second\n"
            "  --first    end when every viewer has its first fragment\n"
            "  --churn    only shake hands (TLS), hang up, begin again; --count at a time\n", name);
    exit(2);
}

static void parse(int argc, char **argv) {
    static const struct option known[] = {
        {"port", 1, 0, 'p'}, {"path", 1, 0, 'u'}, {"count", 1, 0, 'n'}, {"seconds", 1, 0, 's'}, {"warm", 1, 0, 'w'},
        {"tls", 0, 0, 't'}, {"rate", 1, 0, 'r'}, {"sources", 1, 0, 'a'}, {"header", 1, 0, 'h'},
        {"hello", 1, 0, 'e'}, {"tell", 1, 0, 'l'}, {"first", 0, 0, 'f'}, {"churn", 0, 0, 'c'}, {0, 0, 0, 0}};
    int found;
    while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (found) {
            case 'p': option.port = atoi(optarg); break;
            case 'u': option.path = optarg; break;
            case 'n': option.count = atoi(optarg); break;
            case 's': option.seconds = atof(optarg); break;
            case 'w': option.warm = atof(optarg); break;
            case 't': option.tls = 1; break;
            case 'r': option.rate = atof(optarg); break;
            case 'a': option.sources = atoi(optarg); break;
            case 'h': option.header = optarg; break;
            case 'e': option.hello = optarg; break;
            case 'l': option.tell = optarg; break;
            case 'f': option.first = 1; break;
            case 'c': option.churn = 1; break;
            default: usage(argv[0]);
        }
    }
    if (option.port <= 0 || option.count < 1 || option.count > MOST_VIEWERS || option.seconds > MOST_SECONDS ||
        option.sources < 1 || option.rate <= 0 || (option.churn && !option.tls)) {
        usage(argv[0]);
    }
}

static int all_in(enum state least) {
    for (int n = 0; n < option.count; n++) {
        if (viewers[n].state < least) return 0;
    }
    return 1;
}

static int all_have_first(void) {
    for (int n = 0; n < option.count; n++) {
        if (viewers[n].state != GONE && viewers[n].first_ms < 0) return 0;
    }
    return 1;
}

int main(int argc, char **argv) {
    struct epoll_event events[EVENTS];
    struct rlimit files = {MOST_VIEWERS + 64, MOST_VIEWERS + 64};
    parse(argc, argv);
    signal(SIGPIPE, SIG_IGN);
    setrlimit(RLIMIT_NOFILE, &files);
    if (option.tls) {
        static const unsigned char http11[] = "\x08http/1.1";
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_alpn_protos(context, http11, sizeof http11 - 1);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    }
    viewers = calloc(option.count, sizeof *viewers);
    for (int n = 0; n < option.count; n++) viewers[n].fd = -1;
    poller = epoll_create1(EPOLL_CLOEXEC);

    double started = now_s(), opened = 0, window = 0, told_at = 0;
    double give_up = started + option.count / option.rate + 30 + option.warm + option.seconds;
    uint64_t begun = 0, bytes_before = 0;
    double cpu_before = 0, now = started;
    for (; now < give_up; now = now_s()) {
        uint64_t due = (uint64_t)((now - started) * option.rate) + 1;
        for (int n = 0; n < option.count && begun < due; n++) {
            if (viewers[n].state == IDLE || (option.churn && viewers[n].state == GONE)) {
                begin(viewers + n, (int)begun, now);
                begun++;
            }
        }
        if (option.churn && begun < due) begun = due; /* all places taken: what was missed is not made up for */
        int count = epoll_wait(poller, events, EVENTS, 5);
        now = now_s();
        for (int n = 0; n < count; n++) {
            struct viewer *v = events[n].data.ptr;
            if (v->state == CONNECTING) connected(v, now);
            else if (v->state == SHAKING) shake(v, now);
            else readable(v, now);
        }
        if (option.tell && now - told_at >= 0.01) {
            told_at = now;
            tell(now);
        }
        if (option.first && all_in(OPEN) && all_have_first()) break;
        if (!opened && (option.churn || all_in(OPEN))) {
            opened = now;
            printf("open\n");
            fflush(stdout);
        }
        if (opened && !window && now >= opened + option.warm) {
            struct rusage used;
            window = now;
            measuring = 1;
            latency_count = 0;
            handshakes = handshakes_failed = 0;
            for (int n = 0; n < option.count; n++) {
                bytes_before += viewers[n].bytes;
                viewers[n].lost = 0;
            }
            getrusage(RUSAGE_SELF, &used);
            cpu_before = used.ru_utime.tv_sec + used.ru_stime.tv_sec +
                         (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
            printf("measuring\n");
            fflush(stdout);
        }
        if (window && now >= window + option.seconds) break;
    }
    printf("measured\n");
    fflush(stdout);
    report(window ? now - window : 0, bytes_before, cpu_before);
    return 0;
}

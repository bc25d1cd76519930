/* SPDX-License-Identifier: Apache-2.0 */
/* MLPerf Tiny's commands over the same serial port as `edgeml hil` (mlcommons/tiny, benchmark/api and benchmark/runner): a
 * command ends with %, its answer with a line m-ready.
 *
 *   name, profile, timestamp, help, results
 *   db load N, then db HEX... until m-load-done: the network's input integers, a byte each; db print
 *   infer N W: W inferences, then N between two lines m-lap-us-, then the results: the network's output integers
 *
 * Frames of `edgeml hil` come over this port too: a zero, a byte, the type of a request (1 to 5), which no text has there,
 * and all that follows up to the next zero. What is in them is no command. After noise a command that is not known is not
 * answered, and nothing is said at boot, so as not to disturb that link.
 */
#include "board.h"

#if defined(EDGEML_MLPERF_TINY)

#define MOST_CHARACTERS 80u
#define MICRO 1000000u
#define LAST_REQUEST 5u

static char line[MOST_CHARACTERS + 1u];
static uint32_t length;
static uint8_t after_noise; /* bytes came that are not text, and no command since */
static uint8_t in_frame;
static uint8_t since_zero; /* bytes, up to 2 */
static uint8_t input[EDGEML_INPUTS];
static uint32_t wanted; /* bytes that db load has announced */
static uint32_t loaded;
static int32_t output[EDGEML_OUTPUTS];
static union {
    uint8_t bytes[EDGEML_ARENA_BYTES];
    uint64_t aligned[2];
} arena;
static uint32_t counts_per_second;
static uint64_t counts;
static uint32_t last_count;

static void say(const char *text)
{
    for (; *text != '\0'; text++) {
        edgeml_uart_write((uint8_t)*text);
    }
}

static void say_number(int32_t value)
{
    char digits[11];
    uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    uint32_t place = sizeof digits - 1u;
    digits[place] = '\0';
    do {
        digits[--place] = (char)('0' + rest % 10u);
        rest /= 10u;
    } while (rest != 0u);
    say(value < 0 ? "-" : "");
    say(digits + place);
}

static void say_hex(uint8_t byte)
{
    edgeml_uart_write((uint8_t)"0123456789abcdef"[byte >> 4]);
    edgeml_uart_write((uint8_t)"0123456789abcdef"[byte & 15u]);
}

static void count(void)
{
    const uint32_t now = edgeml_counter_read();
    counts += now - last_count;
    last_count = now;
}

static void timestamp(void)
{
    count();
    say("m-lap-us-");
    say_number(counts_per_second < MICRO ? 0 : (int32_t)((counts / (counts_per_second / MICRO)) & 0x7FFFFFFFu));
    say("\r\n");
}

/* Whether the text at *at begins with `word` as a whole; then *at is behind it and the blanks that follow. */
static uint8_t takes(const char **at, const char *word)
{
    const char *text = *at;
    for (; *word != '\0'; word++, text++) {
        if (*text != *word) {
            return 0u;
        }
    }
    if (*text != '\0' && *text != ' ') {
        return 0u;
    }
    while (*text == ' ') {
        text++;
    }
    *at = text;
    return 1u;
}

/* The number at *at, which is then behind it; `otherwise` where there is none, at most 999999999. */
static uint32_t number(const char **at, uint32_t otherwise)
{
    uint32_t value = 0u;
    uint32_t digits = 0u;
    for (; **at >= '0' && **at <= '9' && digits < 9u; digits++, (*at)++) {
        value = 10u * value + (uint32_t)(**at - '0');
    }
    while (**at == ' ') {
        (*at)++;
    }
    return digits == 0u ? otherwise : value;
}

static uint32_t hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return (uint32_t)(digit - '0');
    }
    if (digit >= 'a' && digit <= 'f') {
        return (uint32_t)(digit - 'a') + 10u;
    }
    return digit >= 'A' && digit <= 'F' ? (uint32_t)(digit - 'A') + 10u : 16u;
}

static void results(void)
{
    say("m-results-[");
    for (uint32_t i = 0; i < EDGEML_OUTPUTS; i++) {
        say(i == 0u ? "" : ",");
        say_number(output[i]);
    }
    say("]\r\n");
}

static void infer(const char *at)
{
    const uint32_t times = number(&at, 1u);
    const uint32_t before = number(&at, 10u);
    if (times == 0u || *at != '\0') {
        say("e-[Inference iterations must be >0]\r\n");
        return;
    }
    if (loaded != EDGEML_INPUTS) {
        say("e-[Load all inputs first]\r\n");
        return;
    }
    say("m-warmup-start-");
    say_number((int32_t)before);
    say("\r\n");
    for (uint32_t i = 0; i < before; i++) {
        EDGEML_INVOKE((const EDGEML_INPUT *)(const void *)input, output, arena.bytes);
    }
    say("m-warmup-done\r\nm-infer-start-");
    say_number((int32_t)times);
    say("\r\n");
    timestamp();
    for (uint32_t i = 0; i < times; i++) {
        EDGEML_INVOKE((const EDGEML_INPUT *)(const void *)input, output, arena.bytes);
        count();
    }
    timestamp();
    say("m-infer-done\r\n");
    results();
}

static void load(const char *at)
{
    wanted = number(&at, 0u);
    loaded = 0u;
    if (wanted == 0u || wanted > EDGEML_INPUTS) {
        wanted = 0u;
        say("e-[Command 'db load' takes 1 to ");
        say_number((int32_t)EDGEML_INPUTS);
        say(" bytes]\r\n");
        return;
    }
    say("m-[Expecting ");
    say_number((int32_t)wanted);
    say(" bytes]\r\n");
}

static void print(void)
{
    for (uint32_t i = 0; i < loaded; i++) {
        say(i % 8u == 0u ? "m-buffer-" : "-");
        say_hex(input[i]);
        say(i % 8u == 7u || i + 1u == loaded ? "\r\n" : "");
    }
}

static void bytes(const char *at)
{
    for (; *at != '\0' && loaded < wanted; at += 2) {
        const uint32_t high = hex_digit(at[0]);
        const uint32_t low = at[1] == '\0' ? 16u : hex_digit(at[1]);
        if (high > 15u || low > 15u) {
            say("e-[Invalid hex digits]\r\n");
            return;
        }
        input[loaded++] = (uint8_t)(high << 4 | low);
        if (loaded == wanted) {
            say("m-load-done\r\n");
        }
    }
}

/* Whether the line is a command; then it is answered. */
static uint8_t answered(const char *at)
{
    if (takes(&at, "name")) {
        say("m-name-dut-[" EDGEML_MODEL "]\r\n");
    } else if (takes(&at, "profile")) {
        say("m-profile-[ULPMark for tinyML Firmware V0.0.1]\r\nm-model-[" EDGEML_MODEL "]\r\n");
    } else if (takes(&at, "timestamp")) {
        timestamp();
    } else if (takes(&at, "help")) {
        say("name, profile, timestamp, db load N, db HEX, db print, infer N W, results\r\n");
    } else if (takes(&at, "results")) {
        results();
    } else if (takes(&at, "infer")) {
        infer(at);
    } else if (!takes(&at, "db")) {
        return 0u;
    } else if (takes(&at, "load")) {
        load(at);
    } else if (takes(&at, "print")) {
        print();
    } else if (*at == '\0') {
        say("e-[Command 'db' requires a subcommand]\r\n");
    } else {
        bytes(at);
    }
    return 1u;
}

void edgeml_commands_start(uint32_t counts_a_second)
{
    counts_per_second = counts_a_second;
    last_count = edgeml_counter_read();
}

void edgeml_commands_receive(uint8_t byte)
{
    if (byte == 0u) {
        in_frame = 0u;
        since_zero = 0u;
    } else if (since_zero < 2u) {
        since_zero++;
        in_frame = since_zero == 2u && byte <= LAST_REQUEST;
    }
    if (in_frame) {
        length = 0u;
        after_noise = 1u;
    } else if (byte == '%') {
        line[length < MOST_CHARACTERS ? length : MOST_CHARACTERS] = '\0';
        if (length <= MOST_CHARACTERS && answered(line)) {
            after_noise = 0u;
            say("m-ready\r\n");
        } else if (!after_noise) {
            say("e-[Unknown command: ");
            say(line);
            say("]\r\nm-ready\r\n");
        }
        length = 0u;
    } else if (byte >= ' ' && byte <= '~') {
        if (length < MOST_CHARACTERS) {
            line[length] = (char)byte;
        }
        length = length > MOST_CHARACTERS ? length : length + 1u;
    } else if (byte != '\r' && byte != '\n') {
        length = 0u;
        after_noise = 1u;
    }
}

#endif

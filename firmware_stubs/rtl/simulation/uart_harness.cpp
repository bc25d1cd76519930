// SPDX-License-Identifier: Apache-2.0
// Runs a Verilated UART top and carries bytes to and from its pins, bit by bit.
//
// uart_harness pty [BIT_TIME]
//   Opens a pseudo-terminal, prints its name, and is the device behind it until standard input ends. While the device
//   has nothing to do, no clock runs.
// uart_harness pipe [BIT_TIME]
//   For tests, on standard input: 'R' resets the device; 'B', a length in 4 bytes (lowest first) and so many bytes are
//   sent to it, and what it sends until it is quiet is answered in the same way on standard output.
//
// BIT_TIME: clocks that a bit lasts on the way to the device, in thousandths; what it lasts on the line by default.
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <vector>

// DESIGN_CLASS, DESIGN_HEADER; MILLICLOCKS_PER_BIT: what a bit lasts on the line; PIN_CLOCK, PIN_BUSY and the level that
// says so, BUSY_LEVEL; where there are such pins, PIN_CLOCK_N, and PIN_RESET with its RESET_LEVEL
#include "design.h"
#include DESIGN_HEADER
#include "verilated.h"

namespace {

constexpr uint64_t kLongestRun = 1ULL << 32;
constexpr std::size_t kMostUnread = 1 << 20;

class Board {
   public:
    explicit Board(uint64_t bit_time) : bit_time_(bit_time), top_(&context_) {
        clock_pins(0);
        top_.uart_rx = 1;
        reset();
    }

    std::deque<uint8_t> to_device, from_device;

    void reset() {
        to_device.clear();
        bits_left_ = 0;
        receiving_ = 0;
        top_.uart_rx = 1;
#ifdef PIN_RESET
        top_.PIN_RESET = RESET_LEVEL;
        for (int i = 0; i < 8; ++i) tick();
        top_.PIN_RESET = !RESET_LEVEL;
#endif
        for (int i = 0; i < 24; ++i) tick();
        from_device.clear();
        still_ = 0;
    }

    // Nothing is on its way, and the device does nothing.
    bool quiet() const { return 1000 * still_ > 4 * MILLICLOCKS_PER_BIT; }

    void clock() {
        send_bit();
        tick();
        receive_bit();
        const bool active = bits_left_ || !to_device.empty() || receiving_ || top_.PIN_BUSY == BUSY_LEVEL;
        still_ = active ? 0 : still_ + 1;
    }

   private:
    void clock_pins(uint8_t level) {
        top_.PIN_CLOCK = level;
#ifdef PIN_CLOCK_N
        top_.PIN_CLOCK_N = !level;
#endif
        top_.eval();
    }

    void tick() {
        clock_pins(1);
        clock_pins(0);
        ++clocks_;
    }

    void send_bit() {
        const uint64_t now = 1000 * clocks_;
        if (!bits_left_) {
            if (to_device.empty()) return;
            frame_ = static_cast<uint16_t>(0x200u | to_device.front() << 1);  // start bit lowest, stop bit highest
            to_device.pop_front();
            bits_left_ = 10;
            bit_ends_ = now + bit_time_;
        } else if (now >= bit_ends_) {
            frame_ = static_cast<uint16_t>(frame_ >> 1 | 0x200u);
            bit_ends_ += bit_time_;
            --bits_left_;
        }
        top_.uart_rx = frame_ & 1;
    }

    void receive_bit() {
        if (!receiving_) {
            if (top_.uart_tx) return;
            receiving_ = 1;
            sample_at_ = 1000 * (clocks_ - 1) + MILLICLOCKS_PER_BIT * 3 / 2;
            received_ = 0;
            return;
        }
        if (1000 * clocks_ < sample_at_) return;
        sample_at_ += MILLICLOCKS_PER_BIT;
        if (receiving_ == 9) {
            if (top_.uart_tx) from_device.push_back(received_);
            receiving_ = 0;
            return;
        }
        received_ = static_cast<uint8_t>(received_ >> 1 | (top_.uart_tx ? 0x80 : 0));
        ++receiving_;
    }

    uint64_t bit_time_;
    VerilatedContext context_;
    DESIGN_CLASS top_;
    uint64_t clocks_ = 0, bit_ends_ = 0, sample_at_ = 0, still_ = 0;
    uint16_t frame_ = 0;
    uint8_t received_ = 0;
    int bits_left_ = 0, receiving_ = 0;
};

int fail(const char* text) {
    std::fprintf(stderr, "%s\n", text);
    return 1;
}

bool read_all(uint8_t* bytes, std::size_t count) { return std::fread(bytes, 1, count, stdin) == count; }

int serve_pipe(Board& board) {
    uint8_t command;
    while (read_all(&command, 1)) {
        if (command == 'R') {
            board.reset();
            continue;
        }
        uint8_t length[4];
        if (command != 'B' || !read_all(length, 4)) return fail("an unknown command");
        const uint32_t count = length[0] | length[1] << 8 | length[2] << 16 | static_cast<uint32_t>(length[3]) << 24;
        if (count > kMostUnread) return fail("too many bytes at once");
        std::vector<uint8_t> bytes(count);
        if (!read_all(bytes.data(), count)) return fail("too few bytes");
        board.to_device.assign(bytes.begin(), bytes.end());
        uint64_t clocks = 0;
        do {
            board.clock();
            if (++clocks > kLongestRun) return fail("the device does not come to an end");
        } while (!board.quiet());
        const uint32_t answered = static_cast<uint32_t>(board.from_device.size());
        for (int i = 0; i < 4; ++i) std::putchar(answered >> (8 * i) & 0xFF);
        for (const uint8_t byte : board.from_device) std::putchar(byte);
        std::fflush(stdout);
        board.from_device.clear();
    }
    return 0;
}

int serve_pty(Board& board) {
    const int port = posix_openpt(O_RDWR | O_NOCTTY);
    if (port < 0 || grantpt(port) || unlockpt(port)) return fail("no pseudo-terminal can be had");
    const char* name = ptsname(port);
    // Kept open, so that the port stays while nobody uses it.
    const int terminal = name ? open(name, O_RDWR | O_NOCTTY) : -1;
    termios settings;
    if (terminal < 0 || tcgetattr(terminal, &settings)) return fail("the pseudo-terminal cannot be opened");
    cfmakeraw(&settings);
    tcsetattr(terminal, TCSANOW, &settings);
    fcntl(port, F_SETFL, fcntl(port, F_GETFL) | O_NONBLOCK);
    std::printf("%s\n", name);
    std::fflush(stdout);
    for (;;) {
        pollfd files[2] = {{port, POLLIN, 0}, {0, POLLIN, 0}};
        const bool sleeps = board.quiet() && board.from_device.empty();
        if (poll(files, 2, sleeps ? -1 : 0) < 0 && errno != EINTR) return fail("poll fails");
        uint8_t bytes[1024];
        if (files[1].revents && read(0, bytes, sizeof bytes) <= 0) return 0;
        if (files[0].revents & POLLIN) {
            const ssize_t count = read(port, bytes, sizeof bytes);
            for (ssize_t i = 0; i < count; ++i) board.to_device.push_back(bytes[i]);
        }
        for (int i = 0; i < 4096; ++i) {
            board.clock();
            if (board.quiet()) break;
        }
        std::size_t count = 0;
        while (count < board.from_device.size() && count < sizeof bytes) {
            bytes[count] = board.from_device[count];
            ++count;
        }
        const ssize_t written = count ? write(port, bytes, count) : 0;
        for (ssize_t i = 0; i < written; ++i) board.from_device.pop_front();
        if (written < 0) usleep(1000);
        // Nobody reads: as on a real line, what is not taken is lost.
        while (board.from_device.size() > kMostUnread) board.from_device.pop_front();
    }
}

}  // namespace

int main(int argc, char** argv) {
    const uint64_t own = MILLICLOCKS_PER_BIT;
    const uint64_t bit_time = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : own;
    if (argc < 2 || bit_time < own / 2 || bit_time > 2 * own) return fail("usage: uart_harness pty|pipe [BIT_TIME]");
    Board board(bit_time);
    if (!std::strcmp(argv[1], "pty")) return serve_pty(board);
    if (!std::strcmp(argv[1], "pipe")) return serve_pipe(board);
    return fail("usage: uart_harness pty|pipe [BIT_TIME]");
}

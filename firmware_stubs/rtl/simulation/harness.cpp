// SPDX-License-Identifier: Apache-2.0
// Runs a Verilated edgeml design on a file of input values and writes the output values: AXI4-Stream on both sides,
// with random pauses and resets if asked for.
//
// harness INPUT OUTPUT FRAMES SEED INPUT_PAUSE OUTPUT_PAUSE RESETS [WAVES]
//   INPUT, OUTPUT : values of a stream, each as whole 32-bit words, little-endian, lowest bits first
//   With HAS_CLASSES a word with the class of each frame follows behind all values of OUTPUT.
//   INPUT_PAUSE, OUTPUT_PAUSE : chance of a pause in a clock, in 1/256
//   RESETS : how many times the design is reset in mid-stream; it then starts again with the first unfinished frame
//   WAVES : with WAVE_HEADER, the file that all signals are written to: a clock takes two units of time, and rises at
//   even ones
// Prints one line of JSON: clocks in all, the clocks in which frames ended (the first few), and the resets done.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "design.h"  // DESIGN_CLASS, DESIGN_HEADER, INPUT_WORDS, OUTPUT_WORDS, INPUT_BEATS, OUTPUT_BEATS
#include DESIGN_HEADER
#include "verilated.h"
#ifdef WAVE_HEADER
#include WAVE_HEADER  // with WAVE_CLASS, of Verilator
constexpr int ARGUMENTS = 9;
#else
constexpr int ARGUMENTS = 8;
#endif

namespace {

void store(CData& port, const uint32_t* words) { port = static_cast<CData>(words[0]); }
void store(SData& port, const uint32_t* words) { port = static_cast<SData>(words[0]); }
void store(IData& port, const uint32_t* words) { port = words[0]; }
void store(QData& port, const uint32_t* words) { port = (static_cast<QData>(words[1]) << 32) | words[0]; }
template <std::size_t N>
void store(VlWide<N>& port, const uint32_t* words) {
    for (std::size_t i = 0; i < N; ++i) port[i] = words[i];
}

void load(const CData& port, uint32_t* words) { words[0] = port; }
void load(const SData& port, uint32_t* words) { words[0] = port; }
void load(const IData& port, uint32_t* words) { words[0] = port; }
void load(const QData& port, uint32_t* words) {
    words[0] = static_cast<uint32_t>(port);
    words[1] = static_cast<uint32_t>(port >> 32);
}
template <std::size_t N>
void load(const VlWide<N>& port, uint32_t* words) {
    for (std::size_t i = 0; i < N; ++i) words[i] = port[i];
}

uint64_t state = 1;
uint32_t random_bits() {  // xorshift64*
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return static_cast<uint32_t>((state * 0x2545F4914F6CDD1DULL) >> 32);
}

int fail(const char* text) {
    std::fprintf(stderr, "%s\n", text);
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != ARGUMENTS) return fail("usage: harness INPUT OUTPUT FRAMES SEED INPUT_PAUSE OUTPUT_PAUSE RESETS [WAVES]");
    const std::size_t frames = std::strtoull(argv[3], nullptr, 10);
    state = std::strtoull(argv[4], nullptr, 10) * 2 + 1;
    const uint32_t input_pause = static_cast<uint32_t>(std::atoi(argv[5]));
    const uint32_t output_pause = static_cast<uint32_t>(std::atoi(argv[6]));
    std::size_t resets = std::strtoull(argv[7], nullptr, 10);

    std::vector<uint32_t> input(frames * INPUT_BEATS * INPUT_WORDS);
    std::vector<uint32_t> output(frames * OUTPUT_BEATS * OUTPUT_WORDS);
    std::vector<uint32_t> classes;
#ifdef HAS_CLASSES
    classes.resize(frames);
#endif
    std::FILE* file = std::fopen(argv[1], "rb");
    if (!file) return fail("the input file cannot be opened");
    const std::size_t got = std::fread(input.data(), 4, input.size(), file);
    std::fclose(file);
    if (got != input.size()) return fail("the input file is too short");

    VerilatedContext context;
    DESIGN_CLASS top(&context);
#ifdef WAVE_HEADER
    context.traceEverOn(true);
    WAVE_CLASS waves;
    top.trace(&waves, 99);
    waves.open(argv[8]);
    if (!waves.isOpen()) return fail("the file for waves cannot be opened");
    uint64_t now = 0;
    const auto seen = [&]() { waves.dump(now++); };
#else
    const auto seen = []() {};
#endif
    const auto clock = [&]() {
        top.aclk = 1;
        top.eval();
        seen();
        top.aclk = 0;
        top.eval();
        seen();
    };
    const auto reset = [&]() {
        top.aresetn = 0;
        top.s_axis_tvalid = 0;
        top.m_axis_tready = 0;
        for (int i = 0; i < 3; ++i) clock();
        top.aresetn = 1;
        top.eval();
    };
    top.aclk = 0;
    top.eval();
    reset();

    const std::size_t all_in = frames * INPUT_BEATS, all_out = frames * OUTPUT_BEATS;
    std::size_t sent = 0, received = 0, done_resets = 0, idle = 0;
    // Resets fall behind a random number of output values, so that the design is in the midst of several frames.
    std::size_t reset_at = resets ? 1 + random_bits() % (all_out / (resets + 1) + 1) : all_out;
    uint64_t clocks = 0, first_taken = 0;
    std::vector<uint64_t> ends;
    bool in_valid = false, out_ready = false;
    while (received < all_out) {
        // A valid value stays until it is taken, as AXI4-Stream demands; ready may come and go.
        if (!in_valid && sent < all_in) in_valid = (random_bits() >> 24) >= input_pause;
        out_ready = (random_bits() >> 24) >= output_pause;
        if (in_valid) store(top.s_axis_tdata, &input[sent * INPUT_WORDS]);
        top.s_axis_tvalid = in_valid;
        top.m_axis_tready = out_ready;
        top.eval();
        const bool taken = in_valid && top.s_axis_tready;
        const bool given = top.m_axis_tvalid && out_ready;
        if (given) {
            load(top.m_axis_tdata, &output[received * OUTPUT_WORDS]);
            ++received;
            const bool last = received % OUTPUT_BEATS == 0;
            if (static_cast<bool>(top.m_axis_tlast) != last) return fail("TLAST is not where a frame ends");
#ifdef HAS_CLASSES
            if (last) classes[received / OUTPUT_BEATS - 1] = top.m_axis_tuser;
#endif
            if (last && ends.size() < 64) ends.push_back(clocks - first_taken);
        }
        if (taken) {
            if (sent == 0) first_taken = clocks;
            ++sent;
            in_valid = false;
        }
        clock();
        ++clocks;
        idle = (taken || given) ? 0 : idle + 1;
        if (idle > LONGEST_SILENCE) return fail("the design has stopped: no value was taken or given for too long");
        if (done_resets < resets && received >= reset_at && received < all_out) {
            reset();
            ++done_resets;
            received -= received % OUTPUT_BEATS;
            sent = received / OUTPUT_BEATS * INPUT_BEATS;
            in_valid = false;
            reset_at = received + 1 + random_bits() % (all_out / (resets + 1) + 1);
        }
    }
#ifdef WAVE_HEADER
    waves.close();
#endif
    file = std::fopen(argv[2], "wb");
    if (!file) return fail("the output file cannot be opened");
    const std::size_t put = std::fwrite(output.data(), 4, output.size(), file);
    const std::size_t put_classes = std::fwrite(classes.data(), 4, classes.size(), file);
    if (std::fclose(file) != 0 || put != output.size() || put_classes != classes.size()) return fail("the output file cannot be written");
    std::printf("{\"clocks\": %llu, \"resets\": %zu, \"ends\": [", static_cast<unsigned long long>(clocks), done_resets);
    for (std::size_t i = 0; i < ends.size(); ++i) {
        std::printf("%s%llu", i ? ", " : "", static_cast<unsigned long long>(ends[i]));
    }
    std::printf("]}\n");
    return 0;
}

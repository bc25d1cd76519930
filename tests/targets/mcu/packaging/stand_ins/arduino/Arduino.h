/* In the place of Arduino.h: what the sketch uses. The pin gives the next of the numbers on standard input. */
#include <cstdint>
#include <cstdio>
#include <cstdlib>

static const int A0 = 14;

inline int analogRead(int pin)
{
    int reading;
    if (pin != A0 || std::scanf("%d", &reading) != 1) {
        std::exit(1);
    }
    return reading;
}

inline void delay(unsigned long) {}

struct SerialPort {
    void begin(unsigned long) {}
    void print(int value) { std::printf("%d", value); }
    void print(long value) { std::printf("%ld", value); }
    void print(char value) { std::printf("%c", value); }
    void println(const char *text) { std::printf("%s\n", text); }
};
static SerialPort Serial;

void setup();
void loop();

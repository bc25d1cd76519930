/* In the place of Arduino's core: sets up, and goes round once. */
#include SKETCH

int main()
{
    setup();
    loop();
    return 0;
}

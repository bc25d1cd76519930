/* In the place of task.h: what the example uses. */
void vTaskDelay(TickType_t ticks);

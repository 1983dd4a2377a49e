/* A stand-in for NVIDIA's libnvidia-ml.so.1 with two cards, its structures as the header nvml.h has them.
   FAKE_NVML in the environment: "hang" in nvmlInit, "broken" (the driver does not fit the library), "lost" (no handle
   for card 0), "none" (no cards), "mute" (a card says nothing but its memory). FAKE_NVML_PID: a process on card 1.
   Compiled with -DOLD it lacks the newer functions. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct { unsigned int gpu, memory; } Utilization;
typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned int version; unsigned long long total, reserved, free, used; } Memory2;
typedef struct { unsigned int pid; unsigned long long used; unsigned int gi, ci; } Process;
typedef struct { unsigned int pid; unsigned long long used; } OldProcess;
typedef struct { int number; } *Device;

static struct { int number; } cards[2] = {{0}, {1}};
static int mode(const char *word) { const char *is = getenv("FAKE_NVML"); return is && !strcmp(is, word); }

int nvmlInit_v2(void) {
    while (mode("hang")) sleep(1000);
    return mode("broken") ? 18 : 0;
}
int nvmlShutdown(void) { return 0; }
const char *nvmlErrorString(int code) { return code == 18 ? "Driver/library version mismatch" : "another error"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = mode("none") ? 0 : 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, Device *device) {
    if (mode("lost") && !index) return 15;
    *device = (Device)&cards[index];
    return 0;
}
int nvmlDeviceGetName(Device device, char *name, unsigned int length) {
    strncpy(name, device->number ? "Card B" : "Card A", length);
    return 0;
}
int nvmlDeviceGetUUID(Device device, char *uuid, unsigned int length) {
    strncpy(uuid, device->number ? "GPU-bbbb-2" : "GPU-aaaa-1", length);
    return 0;
}
int nvmlDeviceGetUtilizationRates(Device device, Utilization *load) {
    if (mode("mute")) return 3;
    load->gpu = device->number ? 75 : 0;
    load->memory = 9;
    return 0;
}
int nvmlDeviceGetTemperature(Device device, int sensor, unsigned int *degrees) {
    if (mode("mute") || sensor) return 3;
    *degrees = 40 + device->number;
    return 0;
}
int nvmlDeviceGetPowerUsage(Device device, unsigned int *milliwatts) {
    *milliwatts = 70500 + device->number;
    return mode("mute") ? 3 : 0;
}
int nvmlDeviceGetMemoryInfo(Device device, Memory *memory) {
    memory->total = 80ULL << 30;
    memory->used = (5ULL << 30) + device->number;
    memory->free = memory->total - memory->used;
    return 0;
}
static int processes(unsigned int *count, unsigned int *pid, unsigned long long *used) {
    const char *one = getenv("FAKE_NVML_PID");
    *pid = one ? (unsigned int)atoi(one) : 4242;
    *used = 3ULL << 30;
    return *count < 1 ? 7 : 0;
}
#ifdef OLD
int nvmlDeviceGetComputeRunningProcesses(Device device, unsigned int *count, OldProcess *list) {
    int code = processes(count, &list[0].pid, &list[0].used);
    *count = device->number ? 1 : 0;
    return code;
}
#else
int nvmlDeviceGetMemoryInfo_v2(Device device, Memory2 *memory) {
    if (memory->version != (sizeof(Memory2) | 2 << 24)) return 25;
    memory->total = 80ULL << 30;
    memory->reserved = 1ULL << 30;
    memory->used = (4ULL << 30) + device->number;
    memory->free = memory->total - memory->used - memory->reserved;
    return 0;
}
int nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned int *count, Process *list) {
    unsigned int wanted = device->number ? 300 : 0, index; /* more than there is room for at first */
    if (*count < wanted) { *count = wanted; return 7; }
    *count = wanted;
    for (index = 0; index < wanted; index++) {
        unsigned int one = 1;
        processes(&one, &list[index].pid, &list[index].used);
        list[index].pid += index;
        if (index) list[index].used = index == 1 ? ~0ULL : 1;
        list[index].gi = list[index].ci = ~0U;
    }
    return 0;
}
#endif

/* A stand-in for NVIDIA's library, for tests/it/nvml.rs: two processors, of which the second does not support everything. */
#include <stdio.h>
#include <string.h>

enum { OK = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6 };
typedef struct { int index; } Device;
static Device devices[2] = {{0}, {1}};

typedef struct { char legacy[16]; unsigned domain, bus, device, id, subsystem; char address[32]; } Pci;
typedef struct { unsigned gpu, memory; } Rates;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } Memory;
typedef struct { unsigned pid; unsigned long long memory; unsigned gpu, compute; } Process;

int nvmlInit_v2(void) { return OK; }
int nvmlShutdown(void) { return OK; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, Device **device) { *device = &devices[index]; return OK; }
int nvmlDeviceGetHandleByPciBusId_v2(const char *address, Device **device) {
    if (strcmp(address, "0000:81:00.0") != 0) return NOT_FOUND;
    *device = &devices[1];
    return OK;
}
int nvmlDeviceGetName(Device *device, char *name, unsigned size) { (void)device; snprintf(name, size, "Double 9000"); return OK; }
int nvmlDeviceGetPciInfo_v3(Device *device, Pci *pci) {
    memset(pci, 0, sizeof *pci);
    snprintf(pci->address, sizeof pci->address, "00000000:%s:00.0", device->index ? "81" : "01");
    return OK;
}
int nvmlDeviceGetUtilizationRates(Device *device, Rates *rates) {
    if (device->index) return NOT_SUPPORTED;
    rates->gpu = 87;
    rates->memory = 12;
    return OK;
}
int nvmlDeviceGetMemoryInfo_v2(Device *device, Memory *memory) {
    (void)device;
    memory->total = 40ull << 30;
    memory->used = 12ull << 30;
    memory->free = 28ull << 30;
    return OK;
}
int nvmlDeviceGetTemperature(Device *device, int sensor, unsigned *degrees) { (void)device; (void)sensor; *degrees = 61; return OK; }
int nvmlDeviceGetPowerUsage(Device *device, unsigned *milliwatts) {
    if (device->index) return NOT_SUPPORTED;
    *milliwatts = 203500;
    return OK;
}
int nvmlDeviceGetEnforcedPowerLimit(Device *device, unsigned *milliwatts) { (void)device; *milliwatts = 300000; return OK; }
int nvmlDeviceGetClockInfo(Device *device, int kind, unsigned *mega) { (void)device; *mega = kind == 0 ? 1410 : 1215; return OK; }

static int processes(Device *device, unsigned *count, Process *all, int computing) {
    unsigned have = device->index ? 0 : computing ? 2 : 1;
    unsigned room = *count;
    *count = have;
    if (have == 0) return OK;
    if (room < have) return 7; /* insufficient size: the count is told */
    memset(all, 0, have * sizeof *all);
    all[0].pid = 4242;
    all[0].memory = 11ull << 30;
    if (computing) {
        all[1].pid = 7;
        all[1].memory = ~0ull; /* not available */
    }
    return OK;
}
int nvmlDeviceGetComputeRunningProcesses_v3(Device *device, unsigned *count, Process *all) { return processes(device, count, all, 1); }
int nvmlDeviceGetGraphicsRunningProcesses_v3(Device *device, unsigned *count, Process *all) { return processes(device, count, all, 0); }

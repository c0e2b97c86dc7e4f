// The functions of src/abi.rs: what is behind the driver.
#pragma once

#include <climits>
#include <cstddef>
#include <cstdint>

struct EmconSim;

extern "C" {
typedef void (*emcon_sim_on_pair)(void *to, const char *key, const char *value);
typedef void (*emcon_sim_on_text)(void *to, const char *text);

void emcon_sim_find(const char *const *keys, const char *const *values, size_t n, emcon_sim_on_pair, void *to);
EmconSim *emcon_sim_make(const char *const *keys, const char *const *values, size_t n, emcon_sim_on_text, void *to);
void emcon_sim_unmake(EmconSim *);

int emcon_sim_model(const EmconSim *);
void emcon_sim_serial(const EmconSim *, emcon_sim_on_text, void *to);
double emcon_sim_gain_changed_db(const EmconSim *);

bool emcon_sim_set_center(const EmconSim *, double hz);
bool emcon_sim_set_rate(const EmconSim *, double hz);
bool emcon_sim_set_gain(const EmconSim *, double db, bool automatic);
bool emcon_sim_set_correction(const EmconSim *, double ppm);
void emcon_sim_set_swapped(const EmconSim *, bool swapped);
int64_t emcon_sim_time_ns(const EmconSim *);
void emcon_sim_set_time_ns(const EmconSim *, int64_t ns);

bool emcon_sim_setup(const EmconSim *, const char *format, uint64_t transfer, uint64_t buffers, emcon_sim_on_text, void *to);
void emcon_sim_close(const EmconSim *);
uint64_t emcon_sim_transfer(const EmconSim *);
uint64_t emcon_sim_buffers(const EmconSim *);
int emcon_sim_activate(const EmconSim *);
void emcon_sim_deactivate(const EmconSim *);
int emcon_sim_read(const EmconSim *, void *buffer, size_t n, int *flags, int64_t *time_ns, int64_t timeout_us);
}

// What emcon_sim_read gives to ask for an exception: no code of SoapySDR.
constexpr int emcon_sim_throw = INT_MIN;

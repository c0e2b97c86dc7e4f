// What both radios have in common: one receive channel, a stream, and no say in what samples are.
#pragma once

#include "inside.hpp"

#include <SoapySDR/Device.hpp>
#include <string>
#include <vector>

// Receives a text of the inside in a std::string.
void keepText(void *to, const char *text);

class SimDevice : public SoapySDR::Device
{
public:
    explicit SimDevice(EmconSim *inside);
    ~SimDevice() override;
    SimDevice(const SimDevice &) = delete;
    SimDevice &operator=(const SimDevice &) = delete;

    SoapySDR::Kwargs getHardwareInfo() const override;
    size_t getNumChannels(int direction) const override;
    bool getFullDuplex(int direction, size_t channel) const override;

    std::vector<std::string> getStreamFormats(int direction, size_t channel) const override;
    std::string getNativeStreamFormat(int direction, size_t channel, double &fullScale) const override;
    SoapySDR::Stream *setupStream(int direction, const std::string &format, const std::vector<size_t> &channels,
        const SoapySDR::Kwargs &args) override;
    void closeStream(SoapySDR::Stream *stream) override;
    size_t getStreamMTU(SoapySDR::Stream *stream) const override;
    int activateStream(SoapySDR::Stream *stream, int flags, long long timeNs, size_t numElems) override;
    int deactivateStream(SoapySDR::Stream *stream, int flags, long long timeNs) override;
    int readStream(SoapySDR::Stream *stream, void *const *buffs, size_t numElems, int &flags, long long &timeNs,
        long timeoutUs) override;

    void setAntenna(int direction, size_t channel, const std::string &name) override;

protected:
    // Samples of a transfer that the arguments of a stream ask for; 0 if they do not.
    virtual uint64_t transferOf(const SoapySDR::Kwargs &args) const = 0;

    EmconSim *const inside;
};

// A positive whole number among the arguments of a stream; 0 otherwise, which both modules take for the default.
uint64_t positive(const SoapySDR::Kwargs &args, const std::string &key);

SoapySDR::ArgInfo describe(const std::string &key, const std::string &value, const std::string &name,
    const std::string &description, SoapySDR::ArgInfo::Type type, const std::string &units = "");

SoapySDR::Device *makeHackRF(EmconSim *inside);
SoapySDR::Device *makeRTLSDR(EmconSim *inside);

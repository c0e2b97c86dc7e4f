// Hands the stream on to the inside.

#include "device.hpp"

#include <SoapySDR/Errors.hpp>
#include <SoapySDR/Formats.hpp>
#include <stdexcept>

void keepText(void *to, const char *text)
{
    *static_cast<std::string *>(to) = text;
}

SimDevice::SimDevice(EmconSim *inside) : inside(inside) {}

SimDevice::~SimDevice()
{
    emcon_sim_unmake(inside);
}

SoapySDR::Kwargs SimDevice::getHardwareInfo() const
{
    std::string serial;
    emcon_sim_serial(inside, keepText, &serial);
    return {{"serial", serial}, {"simulated", "emcon-sim"}};
}

// A HackRF has a channel to transmit on. What guards a room has no use for it, and does not offer it.
size_t SimDevice::getNumChannels(int direction) const
{
    return direction == SOAPY_SDR_RX ? 1 : 0;
}

bool SimDevice::getFullDuplex(int, size_t) const
{
    return false;
}

std::vector<std::string> SimDevice::getStreamFormats(int, size_t) const
{
    return {SOAPY_SDR_CS8, SOAPY_SDR_CS16, SOAPY_SDR_CF32};
}

std::string SimDevice::getNativeStreamFormat(int direction, size_t, double &fullScale) const
{
    if (direction != SOAPY_SDR_RX) throw std::runtime_error("emcon-sim only receives, use SOAPY_SDR_RX");
    fullScale = 128;
    return SOAPY_SDR_CS8;
}

SoapySDR::Stream *SimDevice::setupStream(int direction, const std::string &format,
    const std::vector<size_t> &channels, const SoapySDR::Kwargs &args)
{
    if (direction != SOAPY_SDR_RX) throw std::runtime_error("emcon-sim only receives, use SOAPY_SDR_RX");
    if (channels.size() > 1 or (channels.size() == 1 and channels[0] != 0))
        throw std::runtime_error("setupStream invalid channel selection");
    std::string error;
    if (not emcon_sim_setup(inside, format.c_str(), transferOf(args), positive(args, "buffers"), keepText, &error))
        throw std::runtime_error(error);
    return reinterpret_cast<SoapySDR::Stream *>(this);
}

void SimDevice::closeStream(SoapySDR::Stream *)
{
    emcon_sim_close(inside);
}

size_t SimDevice::getStreamMTU(SoapySDR::Stream *) const
{
    return emcon_sim_transfer(inside);
}

int SimDevice::activateStream(SoapySDR::Stream *, int flags, long long, size_t)
{
    return flags != 0 ? SOAPY_SDR_NOT_SUPPORTED : emcon_sim_activate(inside);
}

int SimDevice::deactivateStream(SoapySDR::Stream *, int flags, long long)
{
    if (flags != 0) return SOAPY_SDR_NOT_SUPPORTED;
    emcon_sim_deactivate(inside);
    return 0;
}

int SimDevice::readStream(SoapySDR::Stream *, void *const *buffs, size_t numElems, int &flags, long long &timeNs,
    long timeoutUs)
{
    int64_t time = timeNs;
    const int read = emcon_sim_read(inside, buffs[0], numElems, &flags, &time, timeoutUs);
    if (read == emcon_sim_throw) throw std::runtime_error("emcon-sim: an exception was asked for");
    timeNs = time;
    return read;
}

void SimDevice::setAntenna(int direction, size_t, const std::string &)
{
    if (direction != SOAPY_SDR_RX) throw std::runtime_error("setAntenna failed: emcon-sim only receives");
}

uint64_t positive(const SoapySDR::Kwargs &args, const std::string &key)
{
    const auto found = args.find(key);
    if (found == args.end()) return 0;
    try
    {
        const long long value = std::stoll(found->second);
        return value > 0 ? static_cast<uint64_t>(value) : 0;
    }
    catch (const std::logic_error &)
    {
        return 0;
    }
}

SoapySDR::ArgInfo describe(const std::string &key, const std::string &value, const std::string &name,
    const std::string &description, SoapySDR::ArgInfo::Type type, const std::string &units)
{
    SoapySDR::ArgInfo info;
    info.key = key;
    info.value = value;
    info.name = name;
    info.description = description;
    info.type = type;
    info.units = units;
    return info;
}

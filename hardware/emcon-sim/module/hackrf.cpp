// What SoapyHackRF 0.3.4 says of a HackRF One, and what libhackrf does with settings that it does not like.

#include "device.hpp"

#include <SoapySDR/Logger.hpp>
#include <stdexcept>

namespace
{
constexpr int lnaMost = 40, vgaMost = 62, ampOn = 14;
constexpr double highestHz = 7.25e9;
// MAX5864, the converter: 22 million samples a second at most; below 2 the hardware is out of its specification.
constexpr double fastestHz = 22e6;
// A scene's levels hold at LNA 16, VGA 20, no AMP.
constexpr double referenceDb = 36;

class SimHackRF final : public SimDevice
{
public:
    explicit SimHackRF(EmconSim *inside) : SimDevice(inside)
    {
        gain();
    }

    std::string getDriverKey() const override { return "HackRF"; }
    std::string getHardwareKey() const override { return "HackRF One"; }

    SoapySDR::Kwargs getHardwareInfo() const override
    {
        auto info = SimDevice::getHardwareInfo();
        info["version"] = "2024.02.1";
        info["part id"] = "a000cb3c00614f5e";
        info["clock source"] = "internal";
        return info;
    }

    SoapySDR::ArgInfoList getStreamArgsInfo(int, size_t) const override
    {
        return {describe("buffers", std::to_string(emcon_sim_buffers(inside)), "Buffer Count",
            "Number of buffers per read.", SoapySDR::ArgInfo::INT, "buffers")};
    }

    std::vector<std::string> listAntennas(int, size_t) const override { return {"TX/RX"}; }
    std::string getAntenna(int, size_t) const override { return "TX/RX"; }
    bool hasDCOffsetMode(int, size_t) const override { return false; }

    std::vector<std::string> listGains(int, size_t) const override { return {"LNA", "AMP", "VGA"}; }
    void setGainMode(int, size_t, bool) override {}
    bool getGainMode(int, size_t) const override { return false; }

    // The module shares out a total in this way: a third to VGA, AMP only when the rest is at half.
    void setGain(int direction, size_t, double value) override
    {
        if (direction != SOAPY_SDR_RX) return;
        const int total = static_cast<int>(value);
        const int half = lnaMost / 2 + vgaMost / 2;
        if (total > lnaMost + vgaMost + ampOn) return;
        amp = total > half ? ampOn : 0;
        const int rest = total - amp;
        if (total <= 0) vga = 0;
        else if (rest <= half) vga = (rest / 3) & ~1;
        else vga = static_cast<int>(rest * (double(lnaMost) / double(vgaMost)));
        lna = total <= 0 ? 0 : rest - vga;
        gain();
    }

    void setGain(int direction, size_t, const std::string &name, double value) override
    {
        if (direction != SOAPY_SDR_RX) return;
        if (name == "AMP") amp = value > 0 ? ampOn : 0;
        else if (name == "LNA") lna = static_cast<int>(value);
        else if (name == "VGA") vga = static_cast<int>(value);
        gain();
    }

    using SoapySDR::Device::getGain;
    double getGain(int direction, size_t, const std::string &name) const override
    {
        if (direction != SOAPY_SDR_RX) return 0;
        if (name == "AMP") return amp;
        if (name == "LNA") return lna;
        return name == "VGA" ? vga + emcon_sim_gain_changed_db(inside) : 0;
    }

    using SoapySDR::Device::getGainRange;
    SoapySDR::Range getGainRange(int, size_t, const std::string &name) const override
    {
        if (name == "AMP") return {0, ampOn, ampOn};
        if (name == "LNA") return {0, lnaMost, 8};
        return name == "VGA" ? SoapySDR::Range(0, vgaMost, 2) : SoapySDR::Range(0, 0);
    }

    using SoapySDR::Device::setFrequency;
    void setFrequency(int, size_t, const std::string &name, double hz, const SoapySDR::Kwargs &) override
    {
        if (name == "BB") return;
        if (name != "RF") throw std::runtime_error("setFrequency(" + name + ") unknown name");
        center = hz;
        if (not (hz >= 0 and hz <= highestHz))
            SoapySDR::logf(SOAPY_SDR_ERROR, "hackrf_set_freq(%f) returned HACKRF_ERROR_INVALID_PARAM", hz);
        else if (not emcon_sim_set_center(inside, hz))
            SoapySDR::logf(SOAPY_SDR_ERROR, "hackrf_set_freq(%f) returned HACKRF_ERROR_LIBUSB", hz);
    }

    using SoapySDR::Device::getFrequency;
    double getFrequency(int, size_t, const std::string &name) const override
    {
        if (name == "BB") return 0;
        if (name != "RF") throw std::runtime_error("getFrequency(" + name + ") unknown name");
        return center;
    }

    std::vector<std::string> listFrequencies(int, size_t) const override { return {"RF"}; }

    using SoapySDR::Device::getFrequencyRange;
    SoapySDR::RangeList getFrequencyRange(int, size_t, const std::string &name) const override
    {
        if (name == "BB") return {SoapySDR::Range(0, 0)};
        if (name != "RF") throw std::runtime_error("getFrequencyRange(" + name + ") unknown name");
        return {SoapySDR::Range(0, highestHz)};
    }

    void setSampleRate(int, size_t, double hz) override
    {
        if (not (hz > 0 and hz <= fastestHz) or not emcon_sim_set_rate(inside, hz))
        {
            SoapySDR::logf(SOAPY_SDR_ERROR, "hackrf_set_sample_rate(%f) failed", hz);
            throw std::runtime_error("setSampleRate()");
        }
        rate = hz;
    }

    double getSampleRate(int, size_t) const override { return rate; }

    std::vector<double> listSampleRates(int, size_t) const override
    {
        std::vector<double> rates;
        for (int mega = 1; mega <= 20; mega++) rates.push_back(mega * 1e6);
        return rates;
    }

    void setBandwidth(int, size_t, double hz) override { bandwidth = hz; }
    double getBandwidth(int, size_t) const override { return bandwidth; }

    // MAX2837, the baseband filter.
    std::vector<double> listBandwidths(int, size_t) const override
    {
        return {1.75e6, 2.5e6, 3.5e6, 5e6, 5.5e6, 6e6, 7e6, 8e6, 9e6, 10e6, 12e6, 14e6, 15e6, 20e6, 24e6, 28e6};
    }

    SoapySDR::ArgInfoList getSettingInfo() const override
    {
        return {describe("bias_tx", "false", "Antenna Bias", "Antenna port power control.", SoapySDR::ArgInfo::BOOL)};
    }

    void writeSetting(const std::string &key, const std::string &value) override
    {
        if (key == "bias_tx") bias = value == "true";
    }

    std::string readSetting(const std::string &key) const override
    {
        if (key != "bias_tx") return "";
        return bias ? "true" : "false";
    }

protected:
    uint64_t transferOf(const SoapySDR::Kwargs &) const override { return 0; }

private:
    // The library refuses what is too much, and rounds down to the steps of the hardware.
    void gain()
    {
        if (lna >= 0 and lna <= lnaMost) lnaSet = lna & ~7;
        if (vga >= 0 and vga <= vgaMost) vgaSet = vga & ~1;
        if (not emcon_sim_set_gain(inside, lnaSet + vgaSet + amp - referenceDb, false))
            SoapySDR::log(SOAPY_SDR_ERROR, "setGain returned HACKRF_ERROR_LIBUSB");
    }

    int lna = 16, vga = 16, amp = 0;
    int lnaSet = 16, vgaSet = 16;
    double center = 0, rate = 0, bandwidth = 0;
    bool bias = false;
};
} // namespace

SoapySDR::Device *makeHackRF(EmconSim *inside)
{
    return new SimHackRF(inside);
}

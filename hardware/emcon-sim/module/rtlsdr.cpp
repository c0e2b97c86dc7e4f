// What SoapyRTLSDR 0.3.3 says of a dongle with an R820T tuner, and what librtlsdr does with its settings.

#include "device.hpp"

#include <SoapySDR/Logger.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>

namespace
{
// Steps of the tuner (librtlsdr, r82xx_gains), tenths of dB.
constexpr std::array<int, 29> gains = {0, 9, 14, 27, 37, 77, 87, 125, 144, 157, 166, 197, 207, 229, 254, 280, 297,
    328, 338, 364, 372, 386, 402, 421, 434, 439, 445, 480, 496};
// A scene's levels hold here.
constexpr int reference = 297;
// Where the tuner's oscillator can be set to (rtl-sdr, tuner_r82xx.c); the module reports a little less.
constexpr double lowestHz = 24e6, highestHz = 1766e6, reportedHz = 1764e6;

class SimRTLSDR final : public SimDevice
{
public:
    // Until a client sets a gain, the tuner's own stands: here the one that a scene's levels hold at.
    explicit SimRTLSDR(EmconSim *inside) : SimDevice(inside) {}

    std::string getDriverKey() const override { return "RTLSDR"; }
    std::string getHardwareKey() const override { return "R820T"; }

    SoapySDR::Kwargs getHardwareInfo() const override
    {
        auto info = SimDevice::getHardwareInfo();
        info["index"] = "0";
        return info;
    }

    SoapySDR::ArgInfoList getStreamArgsInfo(int, size_t) const override
    {
        return {
            describe("bufflen", std::to_string(2 * emcon_sim_transfer(inside)), "Buffer Size",
                "Number of bytes per buffer, multiples of 512 only.", SoapySDR::ArgInfo::INT, "bytes"),
            describe("buffers", std::to_string(emcon_sim_buffers(inside)), "Ring buffers",
                "Number of buffers in the ring.", SoapySDR::ArgInfo::INT, "buffers"),
            describe("asyncBuffs", "0", "Async buffers", "Number of async usb buffers (advanced).",
                SoapySDR::ArgInfo::INT, "buffers"),
        };
    }

    std::vector<std::string> listAntennas(int, size_t) const override { return {"RX"}; }
    std::string getAntenna(int, size_t) const override { return "RX"; }
    bool hasDCOffsetMode(int, size_t) const override { return false; }

    bool hasFrequencyCorrection(int, size_t) const override { return true; }
    void setFrequencyCorrection(int, size_t, double value) override
    {
        correction = static_cast<int>(value);
        if (not emcon_sim_set_correction(inside, correction)) throw std::runtime_error("setFrequencyCorrection failed");
    }
    double getFrequencyCorrection(int, size_t) const override { return correction; }

    std::vector<std::string> listGains(int, size_t) const override { return {"TUNER"}; }
    bool hasGainMode(int, size_t) const override { return true; }
    void setGainMode(int, size_t, bool value) override
    {
        automatic = value;
        gain();
    }
    bool getGainMode(int, size_t) const override { return automatic; }

    using SoapySDR::Device::setGain;
    void setGain(int, size_t, const std::string &name, double value) override
    {
        if (name != "TUNER") return;
        tuner = value;
        gain();
    }

    using SoapySDR::Device::getGain;
    double getGain(int, size_t, const std::string &name) const override
    {
        return name == "TUNER" ? tuner + emcon_sim_gain_changed_db(inside) : 0;
    }

    using SoapySDR::Device::getGainRange;
    SoapySDR::Range getGainRange(int, size_t, const std::string &) const override
    {
        return {gains.front() / 10.0, gains.back() / 10.0};
    }

    using SoapySDR::Device::setFrequency;
    void setFrequency(int direction, size_t channel, const std::string &name, double hz,
        const SoapySDR::Kwargs &) override
    {
        if (name == "CORR") setFrequencyCorrection(direction, channel, hz);
        if (name != "RF") return;
        if (not (hz >= lowestHz and hz <= highestHz) or not emcon_sim_set_center(inside, static_cast<uint32_t>(hz)))
            throw std::runtime_error("setFrequency failed");
        center = static_cast<uint32_t>(hz);
    }

    using SoapySDR::Device::getFrequency;
    double getFrequency(int, size_t, const std::string &name) const override
    {
        if (name == "RF") return center;
        return name == "CORR" ? correction : 0;
    }

    std::vector<std::string> listFrequencies(int, size_t) const override { return {"RF", "CORR"}; }

    using SoapySDR::Device::getFrequencyRange;
    SoapySDR::RangeList getFrequencyRange(int, size_t, const std::string &name) const override
    {
        if (name == "RF") return {SoapySDR::Range(lowestHz, reportedHz)};
        if (name == "CORR") return {SoapySDR::Range(-1000, 1000)};
        return {};
    }

    void setSampleRate(int, size_t, double hz) override
    {
        // The resampler of the RTL2832U (librtlsdr, rtlsdr_set_sample_rate).
        const bool possible = (hz > 225000 and hz <= 300000) or (hz > 900000 and hz <= 3200000);
        if (not possible) throw std::runtime_error("setSampleRate failed: RTL-SDR does not support this sample rate");
        if (not emcon_sim_set_rate(inside, static_cast<uint32_t>(hz))) throw std::runtime_error("setSampleRate failed");
        rate = static_cast<uint32_t>(hz);
    }

    double getSampleRate(int, size_t) const override { return rate; }

    std::vector<double> listSampleRates(int, size_t) const override
    {
        return {250e3, 1024e3, 1536e3, 1792e3, 1920e3, 2048e3, 2160e3, 2560e3, 2880e3, 3200e3};
    }

    SoapySDR::RangeList getSampleRateRange(int, size_t) const override
    {
        return {SoapySDR::Range(225001, 300000), SoapySDR::Range(900001, 3200000)};
    }

    void setBandwidth(int, size_t, double hz) override { bandwidth = hz; }
    double getBandwidth(int, size_t) const override { return bandwidth == 0 ? rate : bandwidth; }
    std::vector<double> listBandwidths(int, size_t) const override { return {}; }
    SoapySDR::RangeList getBandwidthRange(int, size_t) const override { return {SoapySDR::Range(0, 8e6)}; }

    std::vector<std::string> listTimeSources() const override { return {"sw_ticks"}; }
    std::string getTimeSource() const override { return "sw_ticks"; }
    bool hasHardwareTime(const std::string &what) const override { return what.empty() or what == "sw_ticks"; }
    long long getHardwareTime(const std::string &) const override { return emcon_sim_time_ns(inside); }
    void setHardwareTime(long long ns, const std::string &) override { emcon_sim_set_time_ns(inside, ns); }

    SoapySDR::ArgInfoList getSettingInfo() const override
    {
        auto direct = describe("direct_samp", "0", "Direct Sampling", "RTL-SDR Direct Sampling Mode",
            SoapySDR::ArgInfo::STRING);
        direct.options = {"0", "1", "2"};
        direct.optionNames = {"Off", "I-ADC", "Q-ADC"};
        const auto flag = [](const std::string &key, const std::string &value, const std::string &name) {
            return describe(key, value, name, "RTL-SDR " + name, SoapySDR::ArgInfo::BOOL);
        };
        return {direct, flag("offset_tune", "false", "Offset Tune"), flag("iq_swap", "false", "I/Q Swap"),
            flag("digital_agc", "false", "Digital AGC"), flag("testmode", "false", "Test Mode"),
            flag("biastee", "false", "Bias Tee"), flag("dithering", "true", "Dithering")};
    }

    // All are kept and read back; iq_swap is the one that changes samples.
    void writeSetting(const std::string &key, const std::string &value) override
    {
        const auto found = settings.find(key);
        if (found == settings.end()) return;
        found->second = key == "direct_samp" or value == "true" ? value : "false";
        if (key == "iq_swap") emcon_sim_set_swapped(inside, value == "true");
    }

    std::string readSetting(const std::string &key) const override
    {
        const auto found = settings.find(key);
        if (found != settings.end()) return found->second;
        SoapySDR::logf(SOAPY_SDR_WARNING, "Unknown setting '%s'", key.c_str());
        return "";
    }

protected:
    // Two bytes are a sample.
    uint64_t transferOf(const SoapySDR::Kwargs &args) const override { return positive(args, "bufflen") / 2; }

private:
    // The module cuts off the tenths, and the tuner takes the next step up.
    void gain()
    {
        const int wanted = static_cast<int>(tuner) * 10;
        const auto step = std::find_if(gains.begin(), gains.end(), [&](int gain) { return gain >= wanted; });
        const int set = step == gains.end() ? gains.back() : *step;
        if (not emcon_sim_set_gain(inside, (set - reference) / 10.0, automatic))
            SoapySDR::log(SOAPY_SDR_DEBUG, "rtlsdr_set_tuner_gain failed");
    }

    double tuner = 0, center = 100e6, rate = 2048e3, bandwidth = 0;
    int correction = 0;
    bool automatic = false;
    std::map<std::string, std::string> settings = {{"direct_samp", "0"}, {"offset_tune", "false"},
        {"iq_swap", "false"}, {"digital_agc", "false"}, {"testmode", "false"}, {"biastee", "false"},
        {"dithering", "true"}};
};
} // namespace

SoapySDR::Device *makeRTLSDR(EmconSim *inside)
{
    return new SimRTLSDR(inside);
}

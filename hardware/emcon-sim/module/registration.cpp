// Tells SoapySDR of the driver.

#include "device.hpp"

#include <SoapySDR/Modules.hpp>
#include <SoapySDR/Registry.hpp>
#include <SoapySDR/Version.hpp>
#include <stdexcept>

namespace
{
// Arguments as the inside takes them; they point into `args`.
struct Pairs
{
    explicit Pairs(const SoapySDR::Kwargs &args)
    {
        for (const auto &pair : args)
        {
            keys.push_back(pair.first.c_str());
            values.push_back(pair.second.c_str());
        }
    }

    std::vector<const char *> keys;
    std::vector<const char *> values;
};

void keepPair(void *to, const char *key, const char *value)
{
    auto &results = *static_cast<SoapySDR::KwargsList *>(to);
    if (key == nullptr) results.emplace_back();
    else results.back()[key] = value;
}

SoapySDR::KwargsList find(const SoapySDR::Kwargs &args)
{
    const Pairs pairs(args);
    SoapySDR::KwargsList results;
    emcon_sim_find(pairs.keys.data(), pairs.values.data(), pairs.keys.size(), keepPair, &results);
    return results;
}

SoapySDR::Device *make(const SoapySDR::Kwargs &args)
{
    const Pairs pairs(args);
    std::string error;
    auto *inside = emcon_sim_make(pairs.keys.data(), pairs.values.data(), pairs.keys.size(), keepText, &error);
    if (inside == nullptr) throw std::runtime_error(error);
    return emcon_sim_model(inside) == 0 ? makeHackRF(inside) : makeRTLSDR(inside);
}

const SoapySDR::Registry registry("emcon-sim", &find, &make, SOAPY_SDR_ABI_VERSION);
const SoapySDR::ModuleVersion version("0.1.0");
} // namespace

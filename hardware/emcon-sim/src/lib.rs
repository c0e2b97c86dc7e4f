//! The C ABI between the SoapySDR module and scenes.

//! Compiles the C++ side of the module against the installed SoapySDR.

fn main() {
    let soapy = pkg_config::Config::new().atleast_version("0.8.0").probe("SoapySDR");
    let soapy = soapy.unwrap_or_else(|error| {
        panic!("SoapySDR 0.8 with its headers is needed (Debian: apt-get install libsoapysdr-dev): {error}")
    });
    let sources = ["registration", "device", "hackrf", "rtlsdr"];
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").warnings(true).extra_warnings(true).includes(&soapy.include_paths);
    build.files(sources.map(|name| format!("module/{name}.cpp")));
    // SoapySDR finds the driver through the constructor of a static object that nothing refers to.
    build.link_lib_modifier("+whole-archive").compile("emcon_sim_module");
    println!("cargo:rerun-if-changed=module");
}

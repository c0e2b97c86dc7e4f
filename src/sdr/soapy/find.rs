//! What is attached, and which modules SoapySDR has.

use super::open::words;
use soapysdr::Args;

/// An attached receiver, as its module describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// SoapySDR's driver.
    pub driver: String,
    /// What people call it.
    pub label: String,
    /// Serial number, if it tells one.
    pub serial: Option<String>,
    /// All that the module says, in its order.
    pub all: Vec<(String, String)>,
}

impl Found {
    /// Arguments that open this one.
    pub fn arguments(&self) -> String {
        match &self.serial {
            Some(serial) => format!("driver={},serial={serial}", self.driver),
            None => format!("driver={}", self.driver),
        }
    }
}

/// The receivers that match `arguments`, all of them if it is empty.
///
/// # Errors
/// In words, what SoapySDR says.
pub fn find(arguments: &str) -> Result<Vec<Found>, String> {
    let found = soapysdr::enumerate(Args::from(arguments)).map_err(|error| words(&error))?;
    Ok(found.iter().map(describe).collect())
}

fn describe(args: &Args) -> Found {
    let all: Vec<(String, String)> = args.iter().map(|(key, value)| (key.into(), value.into())).collect();
    let value = |key: &str| args.get(key).filter(|value| !value.is_empty()).map(str::to_owned);
    Found {
        driver: value("driver").unwrap_or_else(|| "unknown".into()),
        label: value("label").or_else(|| value("device")).or_else(|| value("product")).unwrap_or_default(),
        serial: value("serial"),
        all,
    }
}

/// Folders where modules are looked for, beside SoapySDR's own.
pub fn modules() -> Vec<std::path::PathBuf> {
    let own = std::env::var_os("SOAPY_SDR_PLUGIN_PATH");
    own.iter().flat_map(|paths| std::env::split_paths(paths).collect::<Vec<_>>()).collect()
}

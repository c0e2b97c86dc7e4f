//! The vocabulary of verdicts: what a signal and a device are called in events, files and pages.

use serde::{Deserialize, Serialize};

/// Defines an enum whose variants have a fixed spelling outside the program.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            /// All values, in the order of their definition.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it in events, files and pages.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(format!("unknown {} {word:?}", stringify!($name).to_lowercase())),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

pub(crate) use words;

words! {
    /// Physical layer.
    Signal {
        /// GSM (3GPP TS 45 series).
        Gsm = "gsm",
        /// WCDMA (TS 25 series).
        Umts = "umts",
        /// LTE (TS 36 series).
        Lte = "lte",
        /// 5G NR (TS 38 series).
        Nr = "nr",
        /// IEEE 802.11 OFDM.
        WifiOfdm = "wifi-ofdm",
        /// IEEE 802.11 DSSS and CCK.
        WifiDsss = "wifi-dsss",
        /// Bluetooth BR/EDR.
        BluetoothClassic = "bluetooth-classic",
        /// Bluetooth low energy.
        Ble = "ble",
        /// DECT (ETSI EN 300 175).
        Dect = "dect",
        /// Narrowband analogue FM.
        Nfm = "nfm",
        /// DMR and PDT (ETSI TS 102 361).
        Dmr = "dmr",
        /// dPMR (ETSI TS 102 658).
        Dpmr = "dpmr",
        /// NXDN.
        Nxdn = "nxdn",
        /// TETRA (ETSI EN 300 392).
        Tetra = "tetra",
        /// APCO P25 phase 1.
        P25 = "p25",
        /// Wideband FM: analogue microphones, FM bugs.
        Wfm = "wfm",
        /// Digital wireless microphone.
        DigitalMic = "digital-mic",
        /// Proprietary 2.4 GHz GFSK: keyboards, mice.
        Esb = "esb",
        /// IEEE 802.15.4 O-QPSK at 2.4 GHz.
        Zigbee = "zigbee",
        /// LoRa chirp spread spectrum.
        Lora = "lora",
        /// On-off keying.
        Ook = "ook",
        /// Frequency-shift keying of no named system.
        Fsk = "fsk",
        /// FM sound broadcast.
        FmBroadcast = "fm-broadcast",
        /// Television broadcast.
        Tv = "tv",
        /// Analogue video link.
        Video = "video",
        /// Unmodulated carrier.
        Cw = "cw",
        /// None of these, or not enough evidence.
        Unknown = "unknown",
    }
}

words! {
    /// What the policy bans, in the words of the rule; the last two are never banned by themselves.
    Device {
        /// Mobile phones and everything on cellular uplink.
        MobilePhone = "mobile-phone",
        /// Walkie-talkies.
        WalkieTalkie = "walkie-talkie",
        /// Cordless telephones.
        CordlessPhone = "cordless-phone",
        /// Wireless microphones.
        WirelessMicrophone = "wireless-microphone",
        /// Wireless keyboards and mice.
        WirelessKeyboard = "wireless-keyboard",
        /// Wireless network cards, access points.
        WirelessNetworkCard = "wireless-network-card",
        /// Bluetooth devices.
        BluetoothDevice = "bluetooth-device",
        /// Everything else that transmits.
        OtherWireless = "other-wireless",
        /// Base stations, broadcast.
        Infrastructure = "infrastructure",
        /// Spurs, ovens, switching supplies, receiver artefacts.
        Interference = "interference",
    }
}

impl Device {
    /// Whether a policy may ban it.
    pub fn is_device(self) -> bool {
        !matches!(self, Self::Infrastructure | Self::Interference)
    }
}

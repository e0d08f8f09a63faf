//! The npm package's module. All that it exports comes from the library; see Cargo.toml for why there are two crates.

#![cfg_attr(target_arch = "wasm32", no_std)]

pub use signal_wasm::*;

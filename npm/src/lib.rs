//! The npm package's module. All that it exports comes from the library; see Cargo.toml for why
//! there are two crates.

pub use signal_wasm::*;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

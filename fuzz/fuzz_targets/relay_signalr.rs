//! See `src/relay_signalr.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| signal_fuzz::relay_signalr::run(data));

//! See `src/relay_socket_io.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| signal_fuzz::relay_socket_io::run(data));

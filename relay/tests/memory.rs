//! The attacks on memory, in small: whoever uses most gives back, and an honest pair of pages in
//! another space notices nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "memory/budget.rs"]
mod budget;
#[path = "memory/fairness.rs"]
mod fairness;
#[path = "memory/times.rs"]
mod times;

mod support;

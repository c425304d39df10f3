//! The chinwag server: everything that awaits, reads a clock or opens a file.

pub mod cli;
pub mod config;
pub mod console;
pub mod doctor;
pub mod gateway;
pub mod logging;
pub mod node;
pub mod startup;

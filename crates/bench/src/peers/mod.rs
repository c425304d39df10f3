//! What people would use instead of Chinwag, and what the machine itself costs: programs that are
//! measured beside it, each a process of its own.

pub(crate) mod floor_net;

//! What people would use instead of Chinwag, and what the machine itself costs: programs that are
//! measured beside it, each a process of its own, and how they are spoken to.

pub(crate) mod dialects;
pub(crate) mod ejabberd;
pub(crate) mod floor_net;
pub(crate) mod install;
pub(crate) mod process;

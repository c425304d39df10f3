//! A node from start to stop: serves the page on the bound socket until it is told to stop.

use std::net::TcpListener;

use anyhow::Context;

use crate::config::Config;
use crate::console::{self, Started};
use crate::gateway::page::{self, Page};

/// Runs a node until Ctrl-C.
///
/// # Errors
/// The runtime cannot be started, or the socket fails.
pub fn run(config: Config, listener: TcpListener) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let address = listener.local_addr()?;
    let is_tls = config.tls.certificate.is_some();
    runtime.block_on(async move {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        console::started(&Started {
            address,
            is_tls,
            data: &config.data,
            administrator_link: None,
        });
        let stop = async {
            if let Err(error) = tokio::signal::ctrl_c().await {
                tracing::error!(%error, "cannot wait for Ctrl-C");
            }
        };
        axum::serve(listener, page::router(Page::built()))
            .with_graceful_shutdown(stop)
            .await?;
        Ok(())
    })
}

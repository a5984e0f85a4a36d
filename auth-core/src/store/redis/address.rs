//! URLs of servers, and names of nodes.

use redis::{
    ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, ProtocolVersion, RedisError,
    cluster_routing::SingleNodeRoutingInfo,
};

use crate::error::Error;

/// Reads a URL. Messages do not repeat it, because it may hold a password.
pub(super) fn read(url: &str) -> Result<ConnectionInfo, Error> {
    let unreadable = || {
        Error::Misconfigured(
            "this Redis URL cannot be read: write `redis://user:password@host:port/database`, \
             with `rediss:` for TLS"
                .into(),
        )
    };
    let info = url.into_connection_info().map_err(|_| unreadable())?;
    match info.addr() {
        ConnectionAddr::Tcp(..) | ConnectionAddr::Unix(_) => {}
        ConnectionAddr::TcpTls { insecure: false, .. } => trust(),
        ConnectionAddr::TcpTls { insecure: true, .. } => {
            return Err(Error::Misconfigured(
                "`#insecure` in a Redis URL would trust any certificate; name yours by \
                 `root_certificates`"
                    .into(),
            ));
        }
        _ => return Err(unreadable()),
    }
    // This protocol says when a connection is closed, and not only when it is used again.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(settings))
}

/// Chooses who does the cryptography of TLS, unless the application has chosen.
fn trust() {
    // It fails only where somebody has.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// The way to a node that a server names.
pub(super) fn route(node: &str) -> Result<SingleNodeRoutingInfo, RedisError> {
    let parsed = node.rsplit_once(':').and_then(|(host, port)| {
        Some(SingleNodeRoutingInfo::ByAddress { host: host.to_owned(), port: port.parse().ok()? })
    });
    parsed.ok_or_else(|| (ErrorKind::Parse, "a node of the cluster has no address").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Redis;

    #[test]
    fn reads_every_kind_of_url() {
        for url in [
            "redis://localhost",
            "redis://127.0.0.1:7000/3",
            "redis://shop:hunter2@[::1]:7000",
            "rediss://:hunter2@redis.example.org",
            "valkey://localhost",
            "unix:///run/redis.sock",
        ] {
            let info = read(url).unwrap();
            assert_eq!(info.redis_settings().protocol(), ProtocolVersion::RESP3, "{url}");
        }
    }

    #[test]
    fn a_bad_url_is_a_mistake_that_keeps_the_password() {
        for (bad, expected) in [
            ("", "cannot be read"),
            ("localhost:6379", "cannot be read"),
            ("http://ann:hunter2@localhost", "cannot be read"),
            ("redis://ann:hunter2@localhost:x", "cannot be read"),
            ("redis://ann:hunter2@localhost/many", "cannot be read"),
            ("rediss://ann:hunter2@localhost/#insecure", "root_certificates"),
        ] {
            for error in [Redis::open(bad).unwrap_err(), Redis::cluster([bad]).unwrap_err()] {
                assert!(matches!(error, Error::Misconfigured(_)), "{bad}: {error:?}");
                assert!(error.to_string().contains(expected), "{bad}: {error}");
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
            }
        }
        let none: [&str; 0] = [];
        assert!(matches!(Redis::cluster(none), Err(Error::Misconfigured(_))));
        let different = ["redis://a:hunter2@x", "redis://b:hunter3@y"];
        let error = Redis::cluster(different).unwrap_err();
        assert!(matches!(error, Error::Misconfigured(_)), "{error:?}");
        let plain = Redis::open("redis://localhost").unwrap();
        let error = plain.root_certificates("no certificate").unwrap_err();
        assert!(matches!(error, Error::Misconfigured(_)), "{error:?}");
    }

    #[test]
    fn no_password_is_shown() {
        let shown = format!("{:?}", Redis::open("redis://ann:hunter2@localhost:7000/1").unwrap());
        assert!(shown.contains("localhost:7000"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("ann"), "{shown}");
    }
}

//! A Redis cluster of three primaries: [`RedisCluster`].

use std::{net::TcpListener, sync::OnceLock};

use super::{REMEDY, RedisServer};
use crate::{missing, process::free_port};

const SLOTS: usize = 16_384;

/// A private cluster. It ends when this is dropped.
#[derive(Debug)]
pub struct RedisCluster {
    /// Its nodes.
    pub nodes: Vec<RedisServer>,
}

/// A private cluster that all tests of this process share.
#[must_use]
pub fn redis_cluster() -> Option<&'static RedisCluster> {
    static CLUSTER: OnceLock<Option<RedisCluster>> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(RedisCluster::find).as_ref();
    cluster.or_else(|| missing("redis", REMEDY))
}

/// A private cluster for one test, which may stop its nodes.
#[must_use]
pub fn private_redis_cluster() -> Option<RedisCluster> {
    RedisCluster::find().or_else(|| missing("redis", REMEDY))
}

impl RedisCluster {
    /// Starts a new cluster, if the program is on this machine.
    fn find() -> Option<Self> {
        let nodes: Option<Vec<_>> = (0..3).map(|_| node()).collect();
        let cluster = Self { nodes: nodes? };
        for (index, node) in cluster.nodes.iter().enumerate() {
            let slots: Vec<String> =
                (SLOTS * index / 3..SLOTS * (index + 1) / 3).map(|slot| slot.to_string()).collect();
            let mut command = vec!["CLUSTER", "ADDSLOTS"];
            command.extend(slots.iter().map(String::as_str));
            node.ask::<()>(&command).expect("a new node takes slots");
            let epoch = (index + 1).to_string();
            node.ask::<()>(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).expect("a new node");
        }
        for other in &cluster.nodes[1..] {
            let port = other.port.to_string();
            cluster.nodes[0]
                .ask::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port])
                .expect("a node meets another");
        }
        for node in &cluster.nodes {
            crate::process::wait_until(&node.folder, || {
                let info: String = node.ask(&["CLUSTER", "INFO"]).expect("a node answers");
                let is_whole = ["cluster_state:ok", "cluster_known_nodes:3", "cluster_size:3"]
                    .iter()
                    .all(|line| info.contains(line));
                is_whole.then_some(()).ok_or(info)
            });
        }
        Some(cluster)
    }

    /// What connects to each node.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }
}

fn node() -> Option<RedisServer> {
    let port = loop {
        let port = free_port();
        // Nodes talk to each other on a port that is so much higher.
        let bus = port.checked_add(10_000);
        if bus.is_some_and(|bus| TcpListener::bind(("127.0.0.1", bus)).is_ok()) {
            break port;
        }
    };
    let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", "5000"];
    let mut node = RedisServer::on(port, &arguments)?;
    // All of a cluster have one password.
    node.password = "cluster-of-tests".into();
    node.launch(&[]);
    node.wait();
    Some(node)
}

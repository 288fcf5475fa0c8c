//! DescribeCluster.

use super::{Session, SessionError};
use highwater::wire::Message;
use highwater::wire::messages::DescribeClusterRequest;

pub(super) fn ask(session: &mut Session) -> Result<(), SessionError> {
    for version in DescribeClusterRequest::VERSIONS.iter() {
        let sound = DescribeClusterRequest::default();
        session.ask("sound", version, &sound);
        let with = DescribeClusterRequest { include_cluster_authorized_operations: true, ..sound };
        session.ask("authorized operations", version, &with);
    }
    for endpoint_type in [0, 2, 3, -1] {
        let request = DescribeClusterRequest { endpoint_type, ..DescribeClusterRequest::default() };
        session.ask(&format!("endpoint type {endpoint_type}"), 1, &request);
        session.ask(&format!("endpoint type {endpoint_type}"), 2, &request);
    }
    let fenced = DescribeClusterRequest { include_fenced_brokers: true, ..DescribeClusterRequest::default() };
    session.ask("fenced brokers as well", 2, &fenced);
    Ok(())
}

//! What one plugin may call, and what that may call in turn: all that has to be loaded for a call of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Config;
use crate::hub::report::Claim;
use crate::model::PluginId;
use crate::policy::Grants;

/// The plugin, and all that it can reach along granted edges.
pub(super) fn reach(
    from: &str,
    claims: &BTreeMap<PluginId, Vec<Claim>>,
    config: &Config,
) -> BTreeSet<PluginId> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<PluginId> = PluginId::new(from).into_iter().collect();
    while let Some(id) = next.pop() {
        let grant = config.of(&id).grant;
        let manifests = claims.get(&id).into_iter().flatten().filter_map(|(_, one, _)| one.manifest.as_ref());
        for manifest in manifests {
            let edges = Grants::of(&manifest.ask, &grant).hub;
            next.extend(edges.iter().map(|edge| edge.plugin().clone()).filter(|id| !reached.contains(id)));
        }
        reached.insert(id);
    }
    reached
}

// The calls of the scenario, with the client that @hey-api/openapi-ts generates.
import { client } from "./hey-api/client.gen.js";
import * as sdk from "./hey-api/index.js";
import { scenario } from "./scenario.js";

await scenario((baseUrl, token) => {
  client.setConfig({ baseUrl, headers: { "X-Nomad-Token": token ?? null } });
  return {
    listPlugins: () => sdk.listPlugins({ query: { type: "csi" } }),
    readPlugin: (plugin_id) => sdk.readPlugin({ path: { plugin_id } }),
    listVolumes: (page, headers = {}) => sdk.listVolumes({ headers, query: { type: "csi", ...page } }),
    listExternalVolumes: (query) => sdk.listExternalVolumes({ query }),
    readVolume: (volume_id, query) => sdk.readVolume({ path: { volume_id }, query }),
    createVolume: (volume_id, body, query) => sdk.createVolume({ path: { volume_id }, query, body }),
    registerVolume: (volume_id, body) => sdk.registerVolume({ path: { volume_id }, body }),
    deregisterVolume: (volume_id) => sdk.deregisterVolume({ path: { volume_id } }),
    deleteVolume: (volume_id) => sdk.deleteVolume({ path: { volume_id } }),
    createSnapshots: (body) => sdk.createSnapshots({ body }),
    listSnapshots: (query) => sdk.listSnapshots({ query }),
    deleteSnapshot: (query) => sdk.deleteSnapshot({ query }),
    claimVolume: (volume_id, body) => sdk.claimVolume({ path: { volume_id }, body }),
    listClaims: (volume_id) => sdk.listClaims({ path: { volume_id } }),
    readClaim: (volume_id, alloc_id) => sdk.readClaim({ path: { volume_id, alloc_id } }),
    releaseClaim: (volume_id, alloc_id) => sdk.releaseClaim({ path: { volume_id, alloc_id } }),
    readOperation: (operation_id) => sdk.readOperation({ path: { operation_id } }),
    abandonOperation: (operation_id, query) => sdk.abandonOperation({ path: { operation_id }, query }),
    listNodes: () => sdk.listNodes(),
    readNode: (node_id) => sdk.readNode({ path: { node_id } }),
    doctor: () => sdk.doctor(),
    listCsiPlugins: () => sdk.listCsiPlugins(),
    readCsiPlugin: (plugin_id) => sdk.readCsiPlugin({ path: { plugin_id } }),
    readJob: (job_id) => sdk.readJob({ path: { job_id } }),
    readLeader: () => sdk.readLeader(),
    readAgentHealth: () => sdk.readAgentHealth(),
    setFaults: (body) => sdk.setFaults({ body }),
    clearFaults: () => sdk.clearFaults(),
    bootstrapAcl: () => sdk.bootstrapAcl({ body: {} }),
    applyPolicy: (policy_name, body) => sdk.applyPolicy({ path: { policy_name }, body }),
    createToken: (body) => sdk.createToken({ body }),
    readOwnToken: () => sdk.readOwnToken(),
  };
});

// The calls of the scenario, with openapi-fetch and the types of openapi-typescript.
import createClient from "openapi-fetch";
import type { paths } from "./openapi-typescript.js";
import { scenario } from "./scenario.js";

await scenario((baseUrl, token) => {
  const headers = token === undefined ? {} : { "X-Nomad-Token": token };
  const client = createClient<paths, "application/json">({ baseUrl, headers });
  return {
    listPlugins: () => client.GET("/v1/plugins", { params: { query: { type: "csi" } } }),
    readPlugin: (plugin_id) => client.GET("/v1/plugin/csi/{plugin_id}", { params: { path: { plugin_id } } }),
    listVolumes: (page, headers = {}) => client.GET("/v1/volumes", { headers, params: { query: { type: "csi", ...page } } }),
    listExternalVolumes: (query) => client.GET("/v1/volumes/external", { params: { query } }),
    readVolume: (volume_id, query) => client.GET("/v1/volume/csi/{volume_id}", { params: { path: { volume_id }, query } }),
    createVolume: (volume_id, body, query) =>
      client.PUT("/v1/volume/csi/{volume_id}/create", { params: { path: { volume_id }, query }, body }),
    registerVolume: (volume_id, body) => client.PUT("/v1/volume/csi/{volume_id}", { params: { path: { volume_id } }, body }),
    deregisterVolume: (volume_id) => client.DELETE("/v1/volume/csi/{volume_id}", { params: { path: { volume_id } } }),
    deleteVolume: (volume_id) => client.DELETE("/v1/volume/csi/{volume_id}/delete", { params: { path: { volume_id } } }),
    createSnapshots: (body) => client.PUT("/v1/volumes/snapshot", { body }),
    listSnapshots: (query) => client.GET("/v1/volumes/snapshot", { params: { query } }),
    deleteSnapshot: (query) => client.DELETE("/v1/volumes/snapshot", { params: { query } }),
    claimVolume: (volume_id, body) => client.PUT("/v1/volume/csi/{volume_id}/claim", { params: { path: { volume_id } }, body }),
    listClaims: (volume_id) => client.GET("/v1/volume/csi/{volume_id}/claims", { params: { path: { volume_id } } }),
    readClaim: (volume_id, alloc_id) =>
      client.GET("/v1/volume/csi/{volume_id}/claim/{alloc_id}", { params: { path: { volume_id, alloc_id } } }),
    releaseClaim: (volume_id, alloc_id) =>
      client.DELETE("/v1/volume/csi/{volume_id}/claim/{alloc_id}", { params: { path: { volume_id, alloc_id } } }),
    readOperation: (operation_id) => client.GET("/v1/operation/{operation_id}", { params: { path: { operation_id } } }),
    abandonOperation: (operation_id, query) =>
      client.DELETE("/v1/operation/{operation_id}", { params: { path: { operation_id }, query } }),
    listNodes: () => client.GET("/v1/nodes"),
    readNode: (node_id) => client.GET("/v1/node/{node_id}", { params: { path: { node_id } } }),
    doctor: () => client.GET("/v1/doctor"),
    listCsiPlugins: () => client.GET("/v1/csi/plugins"),
    readCsiPlugin: (plugin_id) => client.GET("/v1/csi/plugin/{plugin_id}", { params: { path: { plugin_id } } }),
    readJob: (job_id) => client.GET("/v1/job/{job_id}", { params: { path: { job_id } } }),
    readLeader: () => client.GET("/v1/status/leader"),
    readAgentHealth: () => client.GET("/v1/agent/health"),
    setFaults: (body) => client.PUT("/v1/testing/faults", { body }),
    clearFaults: () => client.DELETE("/v1/testing/faults"),
    bootstrapAcl: () => client.PUT("/v1/acl/bootstrap", { body: {} }),
    applyPolicy: (policy_name, body) => client.PUT("/v1/acl/policy/{policy_name}", { params: { path: { policy_name } }, body }),
    createToken: (body) => client.PUT("/v1/acl/token", { body }),
    readOwnToken: () => client.GET("/v1/acl/token/self"),
  };
});

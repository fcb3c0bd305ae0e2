// What @hey-api/openapi-ts generates and where; Node wants file extensions in imports.
export default {
  input: process.env.DOCUMENT,
  logs: { file: false },
  output: { path: process.env.OUTPUT, importFileExtension: ".js" },
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "@hey-api/sdk"],
};

// Written by frontend/build.mjs: the one place that knows the bundle's name.
export * from "../vendor/three-c3e2dd9354.js";

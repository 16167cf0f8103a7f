{
  description = "A cluster engine for microVMs whose every decision runs through its own deterministic simulator";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEachSystem = build: lib.genAttrs systems (system: build nixpkgs.legacyPackages.${system});

      manifest = lib.importJSON ./package.json;

      # The lock file names no registry; Nix must know where to fetch from. The hashes are the lock file's own.
      lock = lib.importJSON ./package-lock.json;
      withUrl =
        path: entry:
        if path == "" || !(entry ? integrity) then
          entry
        else
          let
            name = entry.name or (lib.last (lib.splitString "node_modules/" path));
            file = "${lib.last (lib.splitString "/" name)}-${entry.version}.tgz";
          in
          entry // { resolved = "https://registry.npmjs.org/${name}/-/${file}"; };
      packageLock = lock // {
        packages = lib.mapAttrs withUrl lock.packages;
      };
    in
    {
      packages = forEachSystem (pkgs: {
        default = pkgs.buildNpmPackage {
          pname = manifest.name;
          inherit (manifest) version;
          src = lib.cleanSource self;
          nodejs = pkgs.nodejs_24;

          npmDeps = pkgs.importNpmLock {
            package = manifest;
            inherit packageLock;
          };
          npmConfigHook = pkgs.importNpmLock.npmConfigHook;
          npmFlags = [ "--omit=dev" ];
          dontNpmBuild = true;

          nativeBuildInputs = [ pkgs.makeWrapper ];

          # Node strips types from sources anywhere but under node_modules, so blixard lives outside of it.
          installPhase = ''
            runHook preInstall
            mkdir -p $out/lib/blixard
            cp -r package.json cli core runtime-sim scenarios node_modules $out/lib/blixard/
            makeWrapper ${lib.getExe pkgs.nodejs_24} $out/bin/blixard --add-flags $out/lib/blixard/cli/blixard.js
            runHook postInstall
          '';

          meta = {
            inherit (manifest) description;
            license = lib.licenses.asl20;
            mainProgram = "blixard";
            platforms = systems;
          };
        };
      });

      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.nodejs_24
            pkgs.git
          ];
        };
      });
    };
}

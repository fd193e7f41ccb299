package org.dl4jsr.backend;

import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.DebugMode;
import org.nd4j.linalg.cpu.nativecpu.workspace.CpuWorkspaceManager;

/** ND4J's workspaces, but {@link AlignedWorkspace}. ND4J creates it by name. */
public final class AlignedWorkspaceManager extends CpuWorkspaceManager {

    @Override
    protected MemoryWorkspace newWorkspace(WorkspaceConfiguration configuration) {
        return bypasses() ? super.newWorkspace(configuration) : new AlignedWorkspace(configuration);
    }

    @Override
    protected MemoryWorkspace newWorkspace(WorkspaceConfiguration configuration, String id) {
        return bypasses() ? super.newWorkspace(configuration, id) : new AlignedWorkspace(configuration, id);
    }

    @Override
    protected MemoryWorkspace newWorkspace(WorkspaceConfiguration configuration, String id, int device) {
        return bypasses()
                ? super.newWorkspace(configuration, id, device)
                : new AlignedWorkspace(configuration, id, device);
    }

    private boolean bypasses() {
        return getDebugMode() == DebugMode.BYPASS_EVERYTHING;
    }
}

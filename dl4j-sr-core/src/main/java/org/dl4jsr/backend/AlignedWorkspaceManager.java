package org.dl4jsr.backend;

import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.DebugMode;
import org.nd4j.linalg.cpu.nativecpu.workspace.CpuWorkspaceManager;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J's workspaces, but {@link AlignedWorkspace}. ND4J creates it by name. */
public class AlignedWorkspaceManager extends CpuWorkspaceManager {

    /** A new workspace of the kind that this class is for. */
    protected MemoryWorkspace create(WorkspaceConfiguration configuration, String id, int device) {
        return new AlignedWorkspace(configuration, id, device);
    }

    @Override
    protected MemoryWorkspace newWorkspace(WorkspaceConfiguration configuration) {
        return newWorkspace(configuration, MemoryWorkspace.DEFAULT_ID);
    }

    @Override
    protected MemoryWorkspace newWorkspace(WorkspaceConfiguration configuration, String id) {
        return newWorkspace(configuration, id, Nd4j.getAffinityManager().getDeviceForCurrentThread());
    }

    @Override
    protected MemoryWorkspace newWorkspace(WorkspaceConfiguration configuration, String id, int device) {
        return bypasses() ? super.newWorkspace(configuration, id, device) : create(configuration, id, device);
    }

    private boolean bypasses() {
        return getDebugMode() == DebugMode.BYPASS_EVERYTHING;
    }
}
